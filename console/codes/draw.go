package codes

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Code is a two-dimensional code as one SVG path in a square of Size units,
// with its quiet zone (ISO/IEC 18004: four modules).
type Code struct {
	Path template.HTMLAttr
	Size int
}

// Draw draws what a telephone reads as the text.
func Draw(text string) (Code, error) {
	drawn, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Code{}, fmt.Errorf("codes: drawing: %w", err)
	}
	const quiet = 4
	n := drawn.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := range n {
			if r, _, _, _ := drawn.At(x, y).RGBA(); r == 0 {
				path.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return Code{Path: template.HTMLAttr(`d="` + path.String() + `"`), Size: n + 2*quiet}, nil //nolint:gosec // digits and the letters of a path, made above
}
