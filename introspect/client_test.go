package introspect

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/validate"
)

func TestRequest(t *testing.T) { // [IN-01]
	e, cfg := started(t, says(200, yes))
	r, f := asking(t, cfg).ask(t.Context(), opaque)
	if f != nil || !r.active || r.claims != yes {
		t.Fatalf("got %+v, %v", r, f)
	}
	got := e.last(t)
	if got.method != "POST" || got.path != "/introspect" || got.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%s %s %v", got.method, got.path, got.header)
	}
	if got.form.Get("token") != opaque || got.form.Get("token_type_hint") != "access_token" || len(got.form) != 2 {
		t.Errorf("form %v", got.form)
	}
	if got.header.Get("Accept") != "application/json" {
		t.Errorf("accept %q", got.header.Get("Accept"))
	}
	cfg.NoTokenTypeHint = true
	if _, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || e.last(t).form.Has("token_type_hint") {
		t.Errorf("without a hint: %v, %v", e.last(t).form, f)
	}
}

func TestAnswers(t *testing.T) {
	const (
		down    = validate.ErrIntrospectionUnavailable
		refused = validate.ErrIntrospectionRefused
		invalid = validate.ErrIntrospectionInvalid
	)
	tests := map[string]struct {
		answer http.HandlerFunc
		active bool
		code   validate.Code
		counts bool
		pause  time.Duration
	}{
		"active":                   {says(200, yes), true, "", false, 0},
		"vendor's JSON":            {saysAs(200, "application/vnd.example+json", yes), true, "", false, 0},
		"inactive":                 {says(200, `{"active":false}`), false, "", false, 0},
		"inactive with other data": {says(200, `{"active":false,"sub":1,"exp":"x","aud":{}}`), false, "", false, 0}, // [IN-04]
		"active as text":           {says(200, `{"active":"true"}`), false, invalid, false, 0},                      // [IN-03]
		"inactive as text":         {says(200, `{"active":"false"}`), false, invalid, false, 0},                     // [IN-03]
		"active as a number":       {says(200, `{"active":1}`), false, invalid, false, 0},                           // [IN-03]
		"active null":              {says(200, `{"active":null}`), false, invalid, false, 0},                        // [IN-03]
		"active in an array":       {says(200, `{"active":[true]}`), false, invalid, false, 0},                      // [IN-03]
		"active absent":            {says(200, `{"sub":"user-1"}`), false, invalid, false, 0},                       // [IN-03]
		"active in other case":     {says(200, `{"Active":true}`), false, invalid, false, 0},                        // [IN-03]
		"active twice":             {says(200, `{"active":false,"active":true}`), false, invalid, false, 0},         // [IN-06]
		"inactive, then broken":    {says(200, `{"active":false,`), false, invalid, false, 0},                       // [IN-06]
		"sub twice when inactive":  {says(200, `{"active":false,"a":1,"a":2}`), false, invalid, false, 0},           // [IN-06]
		"two documents":            {says(200, `{"active":true}{}`), false, invalid, false, 0},                      // [IN-06]
		"an array":                 {says(200, `[{"active":true}]`), false, invalid, false, 0},                      // [IN-06]
		"empty":                    {says(200, ``), false, invalid, false, 0},                                       // [IN-06]
		"deep":                     {says(200, `{"active":true,"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`), false, invalid, false, 0},
		"huge":                     {says(200, `{"active":true,"a":"`+strings.Repeat("x", maxAnswer)+`"}`), false, invalid, false, 0}, // [IN-06]
		"HTML":                     {saysAs(200, "text/html", "<html>"), false, invalid, true, 0},                                     // [IN-06]
		"JSON said to be HTML":     {saysAs(200, "text/html", yes), false, invalid, true, 0},                                          // [IN-06]
		"no content type":          {saysAs(200, "", yes), false, invalid, true, 0},                                                   // [IN-06]
		"signed unasked":           {saysAs(200, signedType, yes), false, invalid, true, 0},                                           // [IN-18]
		"201":                      {says(201, yes), false, down, true, 0},                                                            // [IN-06]
		"204":                      {says(204, ""), false, down, true, 0},                                                             // [IN-06]
		"400":                      {says(400, yes), false, invalid, false, 0},                                                        // [IN-06]
		"401":                      {says(401, yes), false, refused, true, 0},                                                         // [IN-05]
		"403":                      {says(403, yes), false, refused, true, 0},                                                         // [IN-05]
		"404":                      {says(404, yes), false, down, true, 0},                                                            // [IN-06]
		"405":                      {says(405, yes), false, down, true, 0},                                                            // [IN-06]
		"413":                      {says(413, yes), false, invalid, false, 0},                                                        // [IN-06]
		"414":                      {says(414, yes), false, invalid, false, 0},                                                        // [IN-06]
		"431":                      {says(431, yes), false, invalid, false, 0},                                                        // [IN-06]
		"429":                      {says(429, yes), false, down, false, time.Second},                                                 // [IN-06]
		"429 with a pause":         {pausing(429, "7"), false, down, false, 7 * time.Second},                                          // [IN-06]
		"500":                      {says(500, yes), false, down, true, 0},                                                            // [IN-06]
		"503":                      {says(503, yes), false, down, true, 0},                                                            // [IN-06]
		"503 with a pause":         {pausing(503, "7"), false, down, true, 7 * time.Second},                                           // [IN-06]
		"cut off":                  {cutOff, false, down, true, 0},                                                                    // [IN-06]
		"aborted":                  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, down, true, 0},  // [IN-06]
	}
	e, cfg := started(t, nil)
	c := asking(t, cfg)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.answers(tt.answer)
			r, f := c.ask(t.Context(), opaque)
			if tt.code == "" {
				if f != nil || r.active != tt.active || !r.active && r.claims != "" {
					t.Errorf("got %+v, %v", r, f)
				}
				return
			}
			if f == nil || f.code != tt.code || f.counts != tt.counts || f.pause != tt.pause {
				t.Fatalf("got %+v, want %s, counts %v, pause %v", f, tt.code, tt.counts, tt.pause)
			}
			if r != (reply{}) {
				t.Errorf("a failure with a reply: %+v", r)
			}
			discreet(t, f)
		})
	}
}

// discreet wants a text of its own for f, without anything secret.
func discreet(t *testing.T, f *failure) {
	t.Helper()
	text := f.Error()
	if text == "asking failed" {
		t.Errorf("there is no word for %v", errors.Unwrap(f.err))
	}
	for _, secret := range []string{"opaque", "secret", "127.0.0.1", "https:", "user-1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q tells too much", text)
		}
	}
}

func pausing(status int, wait string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", wait)
		says(status, yes)(w, r)
	}
}

// cutOff sends the beginning of an answer that would be active.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, yes)
}

func TestRedirectsTakeNothingAlong(t *testing.T) { // [IN-06]
	var followed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer other.Close()
	e, cfg := started(t, nil)
	c := asking(t, cfg)
	for _, status := range []int{301, 302, 303, 307, 308} {
		e.answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		_, f := c.ask(t.Context(), opaque)
		if f == nil || f.code != validate.ErrIntrospectionUnavailable || !f.counts || !errors.Is(f, egress.ErrRedirect) {
			t.Errorf("%d: %+v", status, f)
		}
	}
	if followed.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestSlowServer(t *testing.T) { // [IN-16]
	release := make(chan struct{})
	e, cfg := started(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	cfg.Limits.Timeout = 50 * time.Millisecond
	_, f := asking(t, cfg).ask(t.Context(), opaque)
	if f == nil || f.code != validate.ErrIntrospectionUnavailable || !f.counts || f.Error() != "timeout" {
		t.Errorf("got %+v", f)
	}
	if len(e.requests()) != 1 {
		t.Error("the request was repeated")
	}

	ctx, cancel := context.WithCancel(t.Context())
	e.answers(func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	cfg.Limits.Timeout = time.Second
	if _, f := asking(t, cfg).ask(ctx, opaque); f == nil || f.counts || f.Error() != "cancelled" {
		t.Errorf("a caller that gave up: %+v", f)
	}
}

// TestSlowTokenSource: everything that an exchange needs shares its time.
func TestSlowTokenSource(t *testing.T) { // [IN-16]
	_, cfg := started(t, says(200, yes))
	cfg.Limits.Timeout = 50 * time.Millisecond
	cfg.Auth = Auth{Method: Bearer, TokenSource: func(ctx context.Context) (string, error) {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(10 * time.Second):
			return "late", nil
		}
	}}
	if _, f := asking(t, cfg).ask(t.Context(), opaque); f == nil || f.code != validate.ErrIntrospectionRefused || !f.counts {
		t.Errorf("got %+v", f)
	}
}

func TestNobodyThere(t *testing.T) { // [IN-06]
	_, cfg := started(t, says(200, yes))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	cfg.Endpoint = "https://" + gone
	_, f := asking(t, cfg).ask(t.Context(), opaque)
	if f == nil || f.code != validate.ErrIntrospectionUnavailable || !f.counts {
		t.Fatalf("got %+v", f)
	}
	discreet(t, f)

	_, cfg = started(t, says(200, yes))
	cfg.RootCAs = nil
	if _, f = asking(t, cfg).ask(t.Context(), opaque); f == nil || f.code != validate.ErrIntrospectionUnavailable {
		t.Fatalf("a certificate of nobody: %+v", f)
	}
	discreet(t, f)
}

func TestFreshness(t *testing.T) { // [IN-13]
	tests := map[string]struct {
		lines   []string
		noStore bool
		maxAge  time.Duration
		has     bool
	}{
		"nothing":     {nil, false, 0, false},
		"no-store":    {[]string{"no-store"}, true, 0, false},
		"no-cache":    {[]string{"private, No-Cache"}, true, 0, false},
		"max-age":     {[]string{"max-age=7"}, false, 7 * time.Second, true},
		"quoted":      {[]string{`Max-Age="7"`}, false, 7 * time.Second, true},
		"zero":        {[]string{"max-age=0"}, false, 0, true},
		"unreadable":  {[]string{"max-age=-1"}, false, 0, true},
		"no number":   {[]string{"max-age"}, false, 0, true},
		"very long":   {[]string{"max-age=99999999999999999999"}, false, 24 * time.Hour, true},
		"the least":   {[]string{"max-age=9", "max-age=3"}, false, 3 * time.Second, true},
		"other words": {[]string{"private, s-maxage=3, x-max-age=4"}, false, 0, false},
	}
	for name, tt := range tests {
		r := reply{active: true}.freshness(http.Header{"Cache-Control": tt.lines})
		if r.noStore != tt.noStore || r.maxAge != tt.maxAge || r.hasMaxAge != tt.has {
			t.Errorf("%s: %+v", name, r)
		}
	}
	_, cfg := started(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		says(200, yes)(w, r)
	})
	if r, f := asking(t, cfg).ask(t.Context(), opaque); f != nil || !r.noStore {
		t.Errorf("got %+v, %v", r, f)
	}
}

func TestRetryAfter(t *testing.T) { // [IN-16]
	now := time.Unix(1_800_000_000, 0)
	for value, want := range map[string]time.Duration{
		"":                     0,
		"soon":                 0,
		"-1":                   0,
		"0":                    time.Second,
		"2":                    2 * time.Second,
		" 30 ":                 30 * time.Second,
		"61":                   time.Minute,
		"99999999999999999999": time.Minute,
		now.Add(5 * time.Second).UTC().Format(http.TimeFormat): 5 * time.Second,
		now.Add(-time.Hour).UTC().Format(http.TimeFormat):      time.Second,
		now.Add(time.Hour).UTC().Format(http.TimeFormat):       time.Minute,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
