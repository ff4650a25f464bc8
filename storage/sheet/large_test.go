package sheet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

var largeColumns = []Column{
	{Name: "编号", Required: true}, {Name: "时间", Required: true}, {Name: "内容", Required: true},
	{Name: "姓名"}, {Name: "手机号"}, {Name: "地址"},
}

func largeRow(i int) []string {
	return []string{
		fmt.Sprintf("GD%08d", i), fmt.Sprintf("2024-%02d-%02d %02d:%02d", i%12+1, i%28+1, i%24, i%60),
		fmt.Sprintf("%d号楼%d单元楼道的灯坏了三天，晚上老人下楼看不见，请尽快来修一下，谢谢。", i%97, i),
		"王小明", fmt.Sprintf("138%08d", i%1000), fmt.Sprintf("幸福小区%d号楼", i%300),
	}
}

func largeCSV(t testing.TB, rows int) string {
	path := filepath.Join(t.TempDir(), "large.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "编号,时间,内容,姓名,手机号,地址")
	for i := range rows {
		fmt.Fprintln(w, strings.Join(largeRow(i), ","))
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func largeXLSX(t testing.TB, rows int) string {
	path := filepath.Join(t.TempDir(), "large.xlsx")
	book := excelize.NewFile()
	defer book.Close()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetRow("A1", []any{"编号", "时间", "内容", "姓名", "手机号", "地址"}); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		var cells []any
		for _, cell := range largeRow(i) {
			cells = append(cells, cell)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+2), cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), book.SaveAs(path)); err != nil {
		t.Fatal(err)
	}
	return path
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// readAll reads a large table and tells how far the heap grew from a quarter
// of the rows on, and from before Open.
func readAll(t testing.TB, path string, rows, sample int) {
	t.Helper()
	before := heap()
	r, err := Open(path, largeColumns)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var quarter, most int64
	for n := 0; ; n++ {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			if n != rows {
				t.Fatalf("%d rows, want %d", n, rows)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := largeRow(n); row.Number != n+2 || row.Get("编号") != want[0] || row.Get("内容") != want[2] || row.Get("地址") != want[5] {
			t.Fatalf("row %d is %+v, want %v", row.Number, row, want)
		}
		if n == rows/4 {
			quarter = heap()
		} else if n%sample == 0 {
			most = max(most, heap())
		}
	}
	if done, total := r.Progress(); done != total {
		t.Errorf("progress at the end: %d of %d", done, total)
	}
	end := heap()
	most = max(most, end)
	t.Logf("%d rows: heap at most %.1f MB above that before Open, %.1f MB from a quarter to the end",
		rows, float64(most-before)/(1<<20), float64(end-quarter)/(1<<20))
	if end-quarter > 1<<20 || most-before > 64<<20 {
		t.Errorf("heap grew")
	}
}

// The benchmarks do the same with very large ones; here the race detector, ten
// times slower, has to come through too. A reader that kept its rows would grow
// by 10 MB and 2 MB.
func TestLargeTablesAreReadInConstantMemory(t *testing.T) {
	t.Run("csv", func(t *testing.T) { readAll(t, largeCSV(t, 50_000), 50_000, 10_000) })
	t.Run("xlsx", func(t *testing.T) { readAll(t, largeXLSX(t, 10_000), 10_000, 5_000) })
}

func BenchmarkMillionRowsOfCSV(b *testing.B) {
	path := largeCSV(b, 1_000_000)
	for b.Loop() {
		readAll(b, path, 1_000_000, 50_000)
	}
}

func BenchmarkRowsOfXLSX(b *testing.B) {
	path := largeXLSX(b, 200_000)
	for b.Loop() {
		readAll(b, path, 200_000, 50_000)
	}
}
