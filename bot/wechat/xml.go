package wechat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"unicode/utf8"
)

// Bounds of a document. The platform's own go four deep and stay below 64
// elements.
const (
	maxDepth    = 8
	maxElements = 512
)

var errXML = errors.New("wechat: malformed XML")

// walk reads one <xml> document. ended is called at the end of every element
// below the root with its path ("FromUserName",
// "SubscribeMsgPopupEvent/List/TemplateId") and the text directly in it.
//
// Refused are: anything but UTF-8, a DTD and every entity that needs one, other
// encodings, processing instructions inside, namespaces, a second root, text
// outside the root, and more depth or elements than the platform ever sends.
func walk(data []byte, ended func(path, text string) error) error {
	if !utf8.Valid(data) {
		return errXML
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	type element struct {
		name, path string // the path is below the root
		text       []byte
	}
	var open []element // from the root inwards
	done, elements := false, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) && done {
			return nil
		}
		if err != nil {
			return errXML // io.EOF before the end of the root too
		}
		switch t := token.(type) {
		case xml.StartElement:
			elements++
			if done || len(open) == maxDepth || elements > maxElements || t.Name.Space != "" || len(open) == 0 && t.Name.Local != "xml" {
				return errXML
			}
			path := t.Name.Local
			if len(open) > 1 {
				path = open[len(open)-1].path + "/" + path
			}
			open = append(open, element{name: t.Name.Local, path: path})
		case xml.EndElement:
			if len(open) == 0 || t.Name.Space != "" {
				return errXML
			}
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if last.name != t.Name.Local {
				return errXML
			}
			if len(open) == 0 {
				done = true
			} else if err := ended(last.path, string(last.text)); err != nil {
				return err
			}
		case xml.CharData:
			if len(open) > 0 {
				last := &open[len(open)-1]
				last.text = append(last.text, t...)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return errXML
			}
		case xml.ProcInst:
			if t.Target != "xml" || elements > 0 || done {
				return errXML
			}
		case xml.Directive:
			return errXML
		}
	}
}
