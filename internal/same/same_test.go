package same_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/same"
)

type store interface{ Get() string }

type held struct{ at *int }

func (held) Get() string { return "" }

type odd []string // cannot be compared

func (odd) Get() string { return "" }

type nested struct {
	name string
	at   *url.URL
	list [][]byte
}

type settings struct {
	Text        string
	Every       time.Duration
	List        []string
	Table       map[string][]string
	Where       *url.URL
	Roots       *x509.CertPool
	Key         crypto.Signer
	Certificate *tls.Certificate
	Source      func(context.Context) (string, error)
	Store       store
	Inner       nested
	Logger      *slog.Logger
	Clock       func() time.Time
}

// copyOf is another value with everything equal.
func copyOf(t *testing.T, s settings) *settings {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	u := *s.Where
	inner := *s.Inner.at
	return &settings{
		Text: s.Text, Every: s.Every, List: append([]string(nil), s.List...), Table: map[string][]string{"a": {"b"}},
		Where: &u, Roots: s.Roots.Clone(), Key: key.(crypto.Signer),
		Certificate: &tls.Certificate{Certificate: [][]byte{{1}, {2}}, PrivateKey: key},
		Source:      s.Source, Store: s.Store, Inner: nested{"x", &inner, [][]byte{{3}}},
		Logger: slog.New(slog.NewTextHandler(os.Stdout, nil)), Clock: func() time.Time { return time.Time{} },
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func source(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

func TestSettings(t *testing.T) {
	key := newKey(t)
	one := settings{
		Text: "a", Every: time.Second, List: []string{"x"}, Table: map[string][]string{"a": {"b"}},
		Where: &url.URL{Host: "a", User: url.UserPassword("u", "p")}, Roots: x509.NewCertPool(), Key: key,
		Certificate: &tls.Certificate{Certificate: [][]byte{{1}, {2}}, PrivateKey: key},
		Source:      source("a"), Store: held{new(int)}, Inner: nested{"x", &url.URL{Host: "i"}, [][]byte{{3}}},
		Logger: slog.Default(), Clock: time.Now,
	}
	if !same.Settings(&one, copyOf(t, one)) {
		t.Fatal("a copy is another")
	}
	for name, change := range map[string]func(*settings){
		"text":               func(s *settings) { s.Text = "b" },
		"duration":           func(s *settings) { s.Every++ },
		"list":               func(s *settings) { s.List = []string{"y"} },
		"longer list":        func(s *settings) { s.List = []string{"x", "x"} },
		"no list":            func(s *settings) { s.List = nil },
		"table":              func(s *settings) { s.Table = map[string][]string{"a": {"c"}} },
		"no table":           func(s *settings) { s.Table = nil },
		"password":           func(s *settings) { s.Where.User = url.UserPassword("u", "q") },
		"no url":             func(s *settings) { s.Where = nil },
		"roots":              func(s *settings) { s.Roots.AddCert(&x509.Certificate{Raw: []byte{1}}) },
		"no roots":           func(s *settings) { s.Roots = nil },
		"key":                func(s *settings) { s.Key = newKey(t) },
		"no key":             func(s *settings) { s.Key = nil },
		"chain":              func(s *settings) { s.Certificate.Certificate[1][0]++ },
		"key of certificate": func(s *settings) { s.Certificate.PrivateKey = newKey(t) },
		"no certificate":     func(s *settings) { s.Certificate = nil },
		"function":           func(s *settings) { s.Source = source("a") },
		"no function":        func(s *settings) { s.Source = nil },
		"object":             func(s *settings) { s.Store = held{new(int)} },
		"kind of object":     func(s *settings) { s.Store = odd{} },
		"inner text":         func(s *settings) { s.Inner.name = "y" },
		"inner url":          func(s *settings) { s.Inner.at.Host = "j" },
		"inner bytes":        func(s *settings) { s.Inner.list[0][0]++ },
	} {
		other := copyOf(t, one)
		change(other)
		if same.Settings(&one, other) || same.Settings(other, &one) {
			t.Errorf("%s: taken for the same", name)
		}
	}
	one.Store = odd{}
	if other := copyOf(t, one); same.Settings(&one, other) {
		t.Error("what cannot be compared is taken for the same")
	}
}
