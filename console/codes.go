package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/workflow"
)

// mostCodes is how many codes one sheet that is made by a page has; the command
// line makes more.
const mostCodes = 300

// codesPage chooses what gets a code.
type codesPage struct {
	Estates   []workflow.Estate
	Estate    int // its number in the document, from 1
	Buildings []building
	Units     int // codes of each building, 0 for one of the building's own
	MostUnits []int
	Count     int // codes
	Sheets    int // of A4
	Before    int // of them were made before
	Unknown   bool
	Problem   string
}

// building is one that may get a code.
type building struct {
	Number int
	Chosen bool
	Made   bool
}

// codes shows what the sheet would hold that is asked for; nothing is made.
func (c *Console) codes(q *request) error {
	v := q.URL.Query()
	page := codesPage{}
	page.Estate, _ = strconv.Atoi(v.Get("estate"))
	page.Units, _ = strconv.Atoi(v.Get("units"))
	named := v["building"]
	if v.Has("chosen") { // none of them, rather than not yet asked
		named = append([]string{}, named...)
	}
	_, err := q.codesOf(&page, named)
	if err != nil && !errors.Is(err, codes.ErrNoPlace) {
		return err
	}
	return q.show("codes", page)
}

// makeCodes asks WeChat for the codes that are not made yet, and gives the sheet to
// print. Where WeChat does not answer there is no sheet.
func (c *Console) makeCodes(q *request) error {
	page := codesPage{}
	page.Estate, _ = strconv.Atoi(q.PathValue("estate"))
	page.Units, _ = strconv.Atoi(q.PostFormValue("units"))
	again := func(problem string, status int) error {
		page.Problem = q.voice().Say("page.problem."+problem, nil)
		return q.render(status, "codes", page)
	}
	if page.Estate < 1 || page.Estate > len(q.shape.Community.Estates) {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such estate")}
	}
	places, err := q.codesOf(&page, append([]string{}, q.PostForm["building"]...))
	switch {
	case errors.Is(err, codes.ErrNoPlace):
		return again("no_building", http.StatusUnprocessableEntity)
	case err != nil:
		return err
	case len(places) > mostCodes:
		return again("many_codes", http.StatusUnprocessableEntity)
	}
	maker, ok := q.maker()
	if !ok {
		return again("no_account", http.StatusConflict)
	}
	labels, err := maker.Labels(q.Context(), places)
	if err != nil {
		c.o.Logger.Error("codes not made", "community", q.community(), "cause", err)
		return again("no_codes", http.StatusServiceUnavailable)
	}
	var b bytes.Buffer
	if err := codes.Sheet(&b, q.shape.Community.Name, labels); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", sheetPolicy())
	_, _ = q.w.Write(b.Bytes())
	return nil
}

// codesOf fills in a page with what is chosen of an estate: the buildings that are
// named, nil for all. The places are those of the codes.
func (q *request) codesOf(page *codesPage, named []string) ([]workflow.Place, error) {
	all := q.shape.Community.Estates
	page.Estates = all
	for u := 1; u <= codes.MostUnits; u++ {
		page.MostUnits = append(page.MostUnits, u)
	}
	page.Estate = min(max(page.Estate, 1), len(all))
	page.Units = min(max(page.Units, 0), codes.MostUnits)
	if page.Estate == 0 {
		return nil, codes.ErrNoPlace // a community of no estates
	}
	estate := all[page.Estate-1]
	var chosen []int
	for b := 1; b <= estate.Buildings; b++ {
		one := building{Number: b, Chosen: named == nil || slices.Contains(named, strconv.Itoa(b))}
		if one.Chosen {
			chosen = append(chosen, b)
		}
		page.Buildings = append(page.Buildings, one)
	}
	if named != nil && len(chosen) == 0 {
		return nil, codes.ErrNoPlace
	}
	places, err := codes.Places(q.shape.Community, estate.Name, chosen, page.Units)
	if err != nil {
		return nil, err
	}
	page.Count, page.Sheets = len(places), codes.Sheets(len(places))
	maker, ok := q.maker()
	if !ok {
		page.Unknown = true
		return places, nil
	}
	made, err := maker.Made(q.Context(), places)
	if err != nil {
		page.Unknown = true // the drive is away: nobody knows
		return places, nil  //nolint:nilerr // the sheet can be made without
	}
	missing := map[int]bool{}
	for i, p := range places {
		if made[i] {
			page.Before++
		} else {
			missing[p.Building] = true
		}
	}
	for i, b := range page.Buildings {
		page.Buildings[i].Made = b.Chosen && !missing[b.Number]
	}
	return places, nil
}

func (q *request) maker() (codes.Maker, bool) {
	platform, ok := q.console.o.Codes(q.community())
	return codes.Maker{Platform: platform, Memory: q.console.o.Shelf, Community: q.shape.Community}, ok
}

// sheetPolicy lets the sheet have the one style that stands in it, and nothing else.
var sheetPolicy = sync.OnceValue(func() string {
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindSubmatch(configs.Read("qr.html"))
	if style == nil {
		return "default-src 'none'"
	}
	sum := sha256.Sum256(style[1])
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", base64.StdEncoding.EncodeToString(sum[:]))
})
