package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// known is a metric that the server can show.
type known struct {
	name, kind, help string
	labels           []string
}

// all shows every metric once.
func all(t *testing.T) map[string]known {
	t.Helper()
	m := New()
	m.Know("main")
	m.Watch(everything)
	m.Observe(t.Context(), middleware.Event{Code: validate.ErrExpired, Issuer: "main"})
	gathered, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]known{}
	for _, f := range gathered {
		k := known{name: f.GetName(), kind: strings.ToLower(f.GetType().String()), help: f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() {
			k.labels = append(k.labels, l.GetName())
		}
		out[k.name] = k
	}
	described := make(chan *prometheus.Desc, 1000)
	m.registry.Describe(described)
	close(described)
	for d := range described {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]
		if _, ok := out[name]; strings.HasPrefix(name, "bearward_") && !ok {
			t.Errorf("%s is described and was not shown", name)
		}
	}
	return out
}

// TestDocs: docs/operations.md has each metric, as it is.
func TestDocs(t *testing.T) {
	shown := all(t)
	var names []string
	for name := range shown {
		if strings.HasPrefix(name, "bearward_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	table := "| metric | type | labels | what |\n| --- | --- | --- | --- |\n"
	for _, name := range names {
		k := shown[name]
		table += "| `" + name + "` | " + k.kind + " | " + strings.Join(k.labels, ", ") + " | " + k.help + " |\n"
	}
	docs := read(t, "docs/operations.md")
	if !strings.Contains(docs, "\n\n"+table+"\n") {
		t.Errorf("docs/operations.md does not have this table:\n%s", table)
	}
}

var (
	selector = regexp.MustCompile(`\b((?:bearward|go|process)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
	grouping = regexp.MustCompile(`by \(([^)]*)\)`)
	legend   = regexp.MustCompile(`\{\{ *(?:\$labels\.)?([a-z_]+) *\}\}`)
)

// holds checks a query: its metrics exist and have the labels that it names, and
// codes and classes are those of the table.
func holds(t *testing.T, where, query string, metrics map[string]known, words ...string) {
	t.Helper()
	found := false
	labels := map[string]bool{"instance": true, "job": true, "le": true}
	for _, s := range selector.FindAllStringSubmatch(query, -1) {
		found = true
		k, ok := metrics[s[1]]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, is := strings.CutSuffix(s[1], suffix); is && metrics[base].kind == "histogram" {
				k, ok = metrics[base], true
			}
		}
		if !ok {
			t.Errorf("%s: there is no %s", where, s[1])
		}
		for _, l := range k.labels {
			labels[l] = true
		}
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if m[1] != "instance" && !slices.Contains(k.labels, m[1]) {
				t.Errorf("%s: %s has no label %s", where, s[1], m[1])
			}
			checkValues(t, where, m[1], m[3])
		}
	}
	if !found {
		t.Errorf("%s: %q asks for nothing", where, query)
	}
	for _, g := range grouping.FindAllStringSubmatch(query, -1) {
		for _, l := range strings.Split(g[1], ",") {
			words = append(words, strings.TrimSpace(l))
		}
	}
	for _, w := range words {
		if !labels[w] {
			t.Errorf("%s: there is no label %s", where, w)
		}
	}
}

func checkValues(t *testing.T, where, label, values string) {
	t.Helper()
	_, codes := validate.Codes()
	for _, v := range strings.Split(values, "|") {
		_, code := codes[validate.Code(v)]
		class := false
		for _, word := range classes {
			class = class || word == v
		}
		switch {
		case label == "code" && !code && v != accepted,
			label == "class" && !class && v != accepted,
			label == "outcome" && !slices.Contains([]string{"active", "inactive", "unusable", "refused", "failed"}, v),
			(label == "report_only" || label == accepted) && v != "true" && v != "false":
			t.Errorf("%s: %s is never %q", where, label, v)
		}
	}
}

// TestDashboard: what it asks for exists.
func TestDashboard(t *testing.T) {
	metrics := all(t)
	var dashboard struct {
		Title      string
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat, RefID string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "examples/grafana/bearward.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := ""
	for _, v := range dashboard.Templating.List {
		variables += "$" + v.Name + " "
		if v.Definition != "" {
			holds(t, "variable "+v.Name, v.Definition, metrics)
		}
	}
	asked, ids := "", map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || len(p.Targets) == 0 || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: %+v", p.Title, p)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			var words []string
			for _, l := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				words = append(words, l[1])
			}
			holds(t, "panel "+p.Title, target.Expr, metrics, words...)
			asked += target.Expr + "\n"
			for _, v := range regexp.MustCompile(`\$[a-z]+`).FindAllString(target.Expr, -1) {
				if !strings.Contains(variables, v+" ") {
					t.Errorf("panel %q: there is no variable %s", p.Title, v)
				}
			}
		}
	}
	for name := range metrics { // nothing of ours is left out but what says little over time
		if strings.HasPrefix(name, "bearward_") && !strings.Contains(asked, name) && !slices.Contains([]string{
			"bearward_build_info", "bearward_config_loaded_timestamp_seconds", "bearward_jwks_keys", "bearward_jwks_keys_skipped", "bearward_jwks_stale", "bearward_introspection_cache_entries",
		}, name) {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// TestAlerts: what they ask for exists, and the store of used proofs warns from
// 80 %.
func TestAlerts(t *testing.T) {
	metrics := all(t)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	text := read(t, "examples/prometheus/alerts.yml")
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules++
			var words []string
			for _, l := range legend.FindAllStringSubmatch(r.Annotations["summary"]+r.Annotations["description"], -1) {
				words = append(words, l[1])
			}
			holds(t, r.Alert, r.Expr, metrics, words...)
			if r.Alert == "" || r.Annotations["summary"] == "" || !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
				t.Errorf("%+v", r)
			}
		}
	}
	if rules < 10 || !strings.Contains(text, "bearward_replay_entries / bearward_replay_capacity > 0.8") {
		t.Errorf("%d rules", rules)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
