package markers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `package sample

// rules is a table. [AA-01]
var rules = []string{
	"one", // [AA-02 AA-03]
}

func (r *Reader[T]) read(n int) {
	if n > 8 { // [AA-04, AA-05]
		return
	}
	// no marker: [AA-6], [a link]
}

// check has a marker above it: [AA-07] and [AA-08].
func check() {}
`

func TestFile(t *testing.T) {
	got, err := File("sample/sample_test.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	const file = "sample/sample_test.go"
	want := []Marker{
		{Rows: []string{"AA-01"}, File: file, Name: "rules", Line: 3, Test: true},
		{Rows: []string{"AA-02", "AA-03"}, File: file, Name: "rules", Line: 5, Test: true},
		{Rows: []string{"AA-04", "AA-05"}, File: file, Name: "Reader.read", Line: 9, Test: true},
		{Rows: []string{"AA-07", "AA-08"}, File: file, Name: "check", Line: 15, Test: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestScanFindsThisModule(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Scan(root); err != nil {
		t.Error(err)
	}
}
