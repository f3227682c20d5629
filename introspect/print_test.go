package introspect

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Who prints settings, with whatever verb, prints no credentials.
func TestSettingsArePrintedWithoutCredentials(t *testing.T) {
	a := Auth{Method: Post, ClientID: "api", Secret: "s3cret", Token: "t0ken"}
	var out bytes.Buffer
	for _, v := range []any{a, &a, Config{Auth: a}} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("as it is", "auth", a)
	slog.New(slog.NewTextHandler(&out, nil)).Info("as it is", "auth", a)
	for _, secret := range []string{"s3cret", "t0ken"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s is printed: %s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "client_secret_post") || !strings.Contains(out.String(), "api") {
		t.Errorf("got %s", out.String())
	}
}
