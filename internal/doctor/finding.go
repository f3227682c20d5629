package doctor

import (
	"strings"

	"github.com/bearward/bearward/internal/printable"
)

// Severity says what a finding is for whoever runs the API.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // tokens are refused, or what should be refused is not
	Warning Severity = "warning" // it works and is most likely not meant
	OK      Severity = "ok"
	Info    Severity = "info" // what could not be told, or is good to know
)

// Finding is one thing that was found. Name and the names of its members are
// stable; the texts are for people.
type Finding struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	About    string   `json:"about,omitempty"` // an issuer's name, or a part of the file
	Found    string   `json:"found"`
	Fix      string   `json:"fix,omitempty"` // one line: the key of the file and its value, where there is one
}

// Kind is what can be found. In its texts {word} stands for what a finding is
// about.
type Kind struct {
	Name     string
	Severity Severity
	Found    string
	Fix      string
}

var kinds []*Kind

// define adds a row to the table of what can be found.
func define(name string, severity Severity, found, fix string) *Kind {
	k := &Kind{Name: name, Severity: severity, Found: found, Fix: fix}
	kinds = append(kinds, k)
	return k
}

// Kinds returns a copy of the table.
func Kinds() []Kind {
	out := make([]Kind, len(kinds))
	for i, k := range kinds {
		out[i] = *k
	}
	return out
}

// finding fills words, pairs of a name and a text, into the texts of k. The texts
// may come from outside.
func (k *Kind) finding(about string, words ...string) Finding {
	pairs := make([]string, len(words))
	for i := 0; i+1 < len(words); i += 2 {
		pairs[i], pairs[i+1] = "{"+words[i]+"}", printable.Text(words[i+1])
	}
	fill := strings.NewReplacer(pairs...)
	return Finding{Name: k.Name, Severity: k.Severity, About: printable.Text(about), Found: fill.Replace(k.Found), Fix: fill.Replace(k.Fix)}
}
