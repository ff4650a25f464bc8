package codes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

func town() *workflow.Community {
	return &workflow.Community{Code: "east", Name: "东社区", Estates: []workflow.Estate{{Name: "东园", Buildings: 3}, {Name: "西园", Buildings: 2}}}
}

func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		estate    string
		buildings []int
		units     int
		want      string
	}{
		{"", nil, 0, "东园 1号楼,东园 2号楼,东园 3号楼,西园 1号楼,西园 2号楼"},
		{"西园", nil, 2, "西园 1号楼1单元,西园 1号楼2单元,西园 2号楼1单元,西园 2号楼2单元"},
		{"东园", []int{3, 1, 9}, 0, "东园 1号楼,东园 3号楼"},
		{"东园", []int{}, 0, ""},
		{"南园", nil, 0, ""},
	} {
		places, err := Places(town(), tt.estate, tt.buildings, tt.units)
		var got []string
		for _, p := range places {
			got = append(got, p.String())
		}
		if s := strings.Join(got, ","); s != tt.want || (tt.want == "") != errors.Is(err, ErrNoPlace) {
			t.Errorf("%s %v %d: %s %v", tt.estate, tt.buildings, tt.units, s, err)
		}
	}
	if _, err := Places(&workflow.Community{Estates: []workflow.Estate{{Name: "大", Buildings: Most + 1}}}, "", nil, 0); err == nil {
		t.Error("more codes than an account may have")
	}
}

// onePage is a page of a PDF as Chromium writes it.
var onePage = regexp.MustCompile(`/Type /Page\b[^s]`)

// The sheet takes as many pages of A4 as Sheets says, whatever stands on it.
func TestTheSheetOnPaper(t *testing.T) {
	b := browsertest.Open(t, browsertest.DeskWidth, browsertest.DeskHeight)
	for _, n := range []int{1, 9, 10, 27, 28} {
		var labels []Label
		for i := range n {
			code, err := Draw(fmt.Sprintf("http://weixin.qq.com/q/02a1b2c3d4e5f6g7h8i9j0%04d", i))
			if err != nil {
				t.Fatal(err)
			}
			labels = append(labels, Label{Place: fmt.Sprintf("中国人民解放军干休所家属院东区 %d号楼12单元", i+1), Grid: "第十二网格(毕家洼西区)", Code: code})
		}
		var sheet bytes.Buffer
		if err := Sheet(&sheet, "毕家洼西区社区", labels); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "sheet.html")
		if err := os.WriteFile(file, sheet.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		b.Do("open", chromedp.Navigate("file://"+file))
		pdf, err := chromedp.Run(b.Context, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
		if err != nil {
			t.Fatal(err)
		}
		if pages := len(onePage.FindAll(pdf, -1)); pages != Sheets(n) {
			t.Errorf("%d codes take %d pages, want %d", n, pages, Sheets(n))
		}
		if n == 10 {
			b.Whole("codes-sheet")
		}
	}
}
