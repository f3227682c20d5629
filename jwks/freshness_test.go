package jwks

import (
	"net/http"
	"testing"
	"time"
)

func TestLifetime(t *testing.T) { // [JK-14]
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	const absent = 15 * time.Minute
	tests := map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"nothing":              {http.Header{}, absent},
		"nothing useful":       {http.Header{"Cache-Control": {"public, must-revalidate"}}, absent},
		"max-age":              {http.Header{"Cache-Control": {"max-age=600"}}, 10 * time.Minute},
		"among others":         {http.Header{"Cache-Control": {"public, Max-Age=600 ,immutable"}}, 10 * time.Minute},
		"quoted":               {http.Header{"Cache-Control": {`max-age="600"`}}, 10 * time.Minute},
		"on two lines":         {http.Header{"Cache-Control": {"public", "max-age=600"}}, 10 * time.Minute},
		"the first counts":     {http.Header{"Cache-Control": {"max-age=600, max-age=1200"}}, 10 * time.Minute},
		"less Age":             {http.Header{"Cache-Control": {"max-age=600"}, "Age": {"300"}}, 5 * time.Minute},
		"Age above":            {http.Header{"Cache-Control": {"max-age=600"}, "Age": {"900"}}, time.Minute},
		"Age unreadable":       {http.Header{"Cache-Control": {"max-age=600"}, "Age": {"-5"}}, 10 * time.Minute},
		"floor":                {http.Header{"Cache-Control": {"max-age=1"}}, time.Minute},
		"zero":                 {http.Header{"Cache-Control": {"max-age=0"}}, time.Minute},
		"ceiling":              {http.Header{"Cache-Control": {"max-age=31536000"}}, 24 * time.Hour},
		"beyond numbers":       {http.Header{"Cache-Control": {"max-age=99999999999999999999"}}, 24 * time.Hour},
		"negative":             {http.Header{"Cache-Control": {"max-age=-1"}}, time.Minute},
		"unreadable":           {http.Header{"Cache-Control": {"max-age=soon"}}, time.Minute},
		"s-maxage is shared":   {http.Header{"Cache-Control": {"s-maxage=600"}}, absent},
		"no-store":             {http.Header{"Cache-Control": {"no-store, max-age=600"}}, time.Minute},
		"no-cache":             {http.Header{"Cache-Control": {"no-cache"}, "Expires": {at(time.Hour)}}, time.Minute},
		"max-age over Expires": {http.Header{"Cache-Control": {"max-age=600"}, "Expires": {at(time.Hour)}}, 10 * time.Minute},
		"Expires":              {http.Header{"Expires": {at(time.Hour)}}, time.Hour},
		"Expires by its Date":  {http.Header{"Expires": {at(time.Hour)}, "Date": {at(30 * time.Minute)}}, 30 * time.Minute},
		"Expires less Age":     {http.Header{"Expires": {at(time.Hour)}, "Age": {"600"}}, 50 * time.Minute},
		"Expires past":         {http.Header{"Expires": {at(-time.Hour)}}, time.Minute},
		"Expires zero":         {http.Header{"Expires": {"0"}}, time.Minute},
		"Expires far":          {http.Header{"Expires": {at(1000 * time.Hour)}}, 24 * time.Hour},
	}
	for name, tt := range tests {
		if got := lifetime(tt.header, now, absent); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	// What the administrator configured is not clamped.
	if got := lifetime(http.Header{}, now, time.Second); got != time.Second {
		t.Errorf("configured: %v", got)
	}
}
