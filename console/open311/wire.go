package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
)

// What is said, by the specification's names. JSON follows XML by the Spark
// convention: a container of one kind of children is a list, and what is empty is
// null.

// maybe is a text that may be empty: an empty element, and null.
type maybe string

// MarshalJSON gives null for nothing.
func (m maybe) MarshalJSON() ([]byte, error) {
	if m == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(m))
}

// degrees is a latitude or longitude that may be unknown.
type degrees struct {
	of    float64
	known bool
}

// MarshalJSON gives a number, or null.
func (d degrees) MarshalJSON() ([]byte, error) {
	if !d.known {
		return []byte("null"), nil
	}
	return []byte(d.String()), nil
}

// MarshalText gives a number, or nothing.
func (d degrees) MarshalText() ([]byte, error) {
	if !d.known {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// String is the number with six decimals, a tenth of a metre.
func (d degrees) String() string { return strconv.FormatFloat(d.of, 'f', 6, 64) }

type discovery struct {
	XMLName    xml.Name   `xml:"discovery" json:"-"`
	Changeset  string     `xml:"changeset" json:"changeset"`
	Contact    string     `xml:"contact" json:"contact"`
	KeyService string     `xml:"key_service" json:"key_service"`
	Endpoints  []endpoint `xml:"endpoints>endpoint" json:"endpoints"`
}

type endpoint struct {
	Specification string   `xml:"specification" json:"specification"`
	URL           string   `xml:"url" json:"url"`
	Changeset     string   `xml:"changeset" json:"changeset"`
	Type          string   `xml:"type" json:"type"`
	Formats       []string `xml:"formats>format" json:"formats"`
}

type service struct {
	Code        string `xml:"service_code" json:"service_code"`
	Name        string `xml:"service_name" json:"service_name"`
	Description maybe  `xml:"description" json:"description"`
	Metadata    bool   `xml:"metadata" json:"metadata"`
	Type        string `xml:"type" json:"type"`
	Keywords    maybe  `xml:"keywords" json:"keywords"`
	Group       maybe  `xml:"group" json:"group"`
}

type definition struct {
	XMLName    xml.Name    `xml:"service_definition" json:"-"`
	Code       string      `xml:"service_code" json:"service_code"`
	Attributes []attribute `xml:"attributes>attribute" json:"attributes"`
}

type attribute struct {
	Variable            bool   `xml:"variable" json:"variable"`
	Code                string `xml:"code" json:"code"`
	Datatype            string `xml:"datatype" json:"datatype"`
	Required            bool   `xml:"required" json:"required"`
	DatatypeDescription maybe  `xml:"datatype_description" json:"datatype_description"`
	Order               int    `xml:"order" json:"order"`
	Description         string `xml:"description" json:"description"`
}

type serviceRequest struct {
	ID          string  `xml:"service_request_id" json:"service_request_id"`
	Status      string  `xml:"status" json:"status"`
	Notes       maybe   `xml:"status_notes" json:"status_notes"`
	Name        string  `xml:"service_name" json:"service_name"`
	Code        string  `xml:"service_code" json:"service_code"`
	Description maybe   `xml:"description" json:"description"`
	Agency      maybe   `xml:"agency_responsible" json:"agency_responsible"`
	Notice      maybe   `xml:"service_notice" json:"service_notice"`
	Requested   string  `xml:"requested_datetime" json:"requested_datetime"`
	Updated     string  `xml:"updated_datetime" json:"updated_datetime"`
	Expected    maybe   `xml:"expected_datetime" json:"expected_datetime"`
	Address     maybe   `xml:"address" json:"address"`
	AddressID   maybe   `xml:"address_id" json:"address_id"`
	Zipcode     maybe   `xml:"zipcode" json:"zipcode"`
	Lat         degrees `xml:"lat" json:"lat"`
	Long        degrees `xml:"long" json:"long"`
	MediaURL    maybe   `xml:"media_url" json:"media_url"`
}

// created is the answer to a filing: an ID, or a token for one.
type created struct {
	ID      string `xml:"service_request_id,omitempty" json:"service_request_id,omitempty"`
	Token   string `xml:"token,omitempty" json:"token,omitempty"`
	Notice  maybe  `xml:"service_notice" json:"service_notice"`
	Account maybe  `xml:"account_id" json:"account_id"`
}

// redeemed is what a token stands for; without an ID it is still on its way.
type redeemed struct {
	ID    string `xml:"service_request_id,omitempty" json:"service_request_id,omitempty"`
	Token string `xml:"token" json:"token"`
}

type fault struct {
	Code        int    `xml:"code" json:"code"`
	Description string `xml:"description" json:"description"`
}

// list is children of one kind in their container: just a list in JSON.
type list[T any] struct {
	container, child string
	all              []T
}

// MarshalJSON gives the list without its container.
func (l list[T]) MarshalJSON() ([]byte, error) {
	if l.all == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.all)
}

// MarshalXML gives the container and its children.
func (l list[T]) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: l.container}}
	if err := e.EncodeToken(start); err != nil {
		return fmt.Errorf("open311: %w", err)
	}
	for _, one := range l.all {
		if err := e.EncodeElement(one, xml.StartElement{Name: xml.Name{Local: l.child}}); err != nil {
			return fmt.Errorf("open311: %w", err)
		}
	}
	if err := e.EncodeToken(start.End()); err != nil {
		return fmt.Errorf("open311: %w", err)
	}
	return nil
}

func listOf[T any](container, child string, all ...T) list[T] { return list[T]{container, child, all} }

func errorsOf(status int, description string) list[fault] {
	return listOf("errors", "error", fault{status, description})
}

// write sends an answer in a format.
func write(w http.ResponseWriter, format string, status int, answer any) error {
	var b bytes.Buffer
	var err error
	kind := "application/json; charset=utf-8"
	if format == "json" {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err = e.Encode(answer)
	} else {
		kind = "text/xml; charset=utf-8"
		b.WriteString(xml.Header)
		err = xml.NewEncoder(&b).Encode(answer)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return fmt.Errorf("open311: encode: %w", err)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, err = w.Write(b.Bytes())
	if err != nil {
		return nil // the client has gone
	}
	return nil
}
