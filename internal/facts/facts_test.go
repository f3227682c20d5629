package facts

import (
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// says is what the facts say.
func says(f *Facts) Said {
	return Said{
		Issuer: f.Issuer(), Subject: f.Subject(), ClientID: f.ClientID(), ID: f.ID(), Session: f.Session(),
		Scope: f.Scope(), Audience: f.Audience, ACR: f.ACR(),
		ExpiresAt: f.ExpiresAt(), NotBefore: f.NotBefore(), IssuedAt: f.IssuedAt(), AuthTime: f.AuthTime(),
	}
}

// TestKeep: whatever a token says, in its payload or elsewhere, is what the facts
// say.
func TestKeep(t *testing.T) {
	const payload = `{"iss":"https://as.example.test","sub":"user-1","scope":"a b"}`
	by := &Verifier{Home: "https://as.example.test"}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			from := rapid.IntRange(0, len(payload)).Draw(t, "from")
			inside := payload[from:rapid.IntRange(from, len(payload)).Draw(t, "to")]
			return rapid.SampledFrom([]string{"", inside, string([]byte(inside)), by.Home, "user-" + strconv.Itoa(from)}).Draw(t, "text")
		})
		date := rapid.Custom(func(t *rapid.T) time.Time {
			return rapid.SampledFrom([]time.Time{{}, time.Unix(0, 0), time.Unix(1764072000, 0), time.UnixMicro(1764072000123456), time.Unix(253402300799, 0)}).Draw(t, "date")
		})
		said := Said{
			Issuer: text.Draw(t, "iss"), Subject: text.Draw(t, "sub"), ClientID: text.Draw(t, "client_id"), ID: text.Draw(t, "jti"),
			Session: text.Draw(t, "sid"), Scope: text.Draw(t, "scope"), ACR: text.Draw(t, "acr"), Audience: []string{text.Draw(t, "aud")},
			ExpiresAt: date.Draw(t, "exp"), NotBefore: date.Draw(t, "nbf"), IssuedAt: date.Draw(t, "iat"), AuthTime: date.Draw(t, "auth_time"),
		}
		f := &Facts{Payload: rapid.SampledFrom([]string{"", payload}).Draw(t, "payload")}
		if rapid.Bool().Draw(t, "sealed") && said.Issuer != "" {
			f.By = by
		}
		f.Keep(&said)
		f.BindToCert([32]byte{1})
		if diff := cmp.Diff(said, says(f)); diff != "" {
			t.Fatal(diff)
		}
		if home := f.Home(); f.By == nil && home != said.Issuer || f.By != nil && home != by.Home {
			t.Fatalf("home %q", home)
		}
	})
}

// TestRounding never makes a token valid for longer than it says.
func TestRounding(t *testing.T) {
	at := time.Unix(1764072000, 1)
	for name, c := range map[string]struct{ said, exp, nbf time.Time }{
		"parts of a microsecond": {at, at.Add(-1), at.Add(999)},
		"before all times":       {time.Unix(-1<<50, 0), time.UnixMicro(-1 << 60), time.UnixMicro(-1 << 60)},
		"after all times":        {time.Unix(1<<50, 0), time.UnixMicro(1 << 60), time.UnixMicro(1 << 60)},
	} {
		f := &Facts{}
		f.Keep(&Said{ExpiresAt: c.said, NotBefore: c.said})
		if !f.ExpiresAt().Equal(c.exp) || !f.NotBefore().Equal(c.nbf) {
			t.Errorf("%s: exp %v, nbf %v", name, f.ExpiresAt(), f.NotBefore())
		}
	}
}

func TestBinding(t *testing.T) {
	var f Facts
	if none := [32]byte{}; f.JKT() != none || f.X5T() != none {
		t.Error("thumbprints of no binding")
	}
	f.BindToKey([32]byte{1})
	f.BindToCert([32]byte{2})
	if f.JKT() != [32]byte{1} || f.X5T() != [32]byte{2} || !f.ByKey || !f.ByCert {
		t.Errorf("%x %x", f.JKT(), f.X5T())
	}
}

// TestDeviates: the first rule counts.
func TestDeviates(t *testing.T) {
	defer func(codes []string) { Codes = codes }(Codes)
	Codes = []string{"a", "b", "c"}
	var f Facts
	f.Deviates("unknown")
	if f.Strict() != "" {
		t.Errorf("%q", f.Strict())
	}
	f.Deviates("b")
	f.Deviates("a")
	if f.Strict() != "b" {
		t.Errorf("%q", f.Strict())
	}
}

// TestSize: there may be a million of them.
func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(Facts{}); got > 192 {
		t.Errorf("%d bytes", got)
	}
}
