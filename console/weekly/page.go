package weekly

import (
	"fmt"
	"html/template"
	"io"

	"github.com/wishdesk/wishdesk/configs"
)

// Alone is what a page that stands alone brings with it: the text of styles and
// scripts. Without scripts its charts are left out; the tables say the same.
type Alone struct {
	Styles, Scripts []string
}

// Page writes the report as one HTML file that needs nothing else and prints on
// A4. Its body is the template that the console's page has too.
func Page(w io.Writer, r Report, a Alone) error {
	t, err := template.New("").Funcs(template.FuncMap{
		"css": func(s string) template.CSS { return template.CSS(s) }, //nolint:gosec // our own files
		"js":  func(s string) template.JS { return template.JS(s) },   //nolint:gosec // our own files
	}).Parse(string(configs.Read("pages/_week.html")))
	if err == nil {
		_, err = t.Parse(string(configs.Read("week_alone.html")))
	}
	if err == nil {
		err = t.ExecuteTemplate(w, "alone", map[string]any{"Report": r, "Alone": a})
	}
	if err != nil {
		return fmt.Errorf("weekly: page: %w", err)
	}
	return nil
}
