// Package same compares settings, so that what was made from one configuration
// can go on under another one.
package same

import (
	"crypto"
	"crypto/x509"
	"log/slog"
	"net/url"
	"reflect"
	"time"
	"unsafe"
)

// Settings reports that a and b say the same: data by value, secrets included,
// private keys and certificates by their own Equal, other objects and functions by
// identity. Loggers and clocks, which decide nothing, do not count. Whatever
// cannot be compared is different.
func Settings[T any](a, b *T) bool {
	return equal(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

var (
	pool        = reflect.TypeFor[*x509.CertPool]()
	certificate = reflect.TypeFor[*x509.Certificate]()
	link        = reflect.TypeFor[*url.URL]()
	logger      = reflect.TypeFor[*slog.Logger]()
	clock       = reflect.TypeFor[func() time.Time]()
)

// equal expects values that are addressable, of one type.
func equal(a, b reflect.Value) bool {
	switch a.Type() {
	case logger, clock:
		return true
	case pool:
		return as[*x509.CertPool](a).Equal(as[*x509.CertPool](b))
	case certificate:
		return as[*x509.Certificate](a).Equal(as[*x509.Certificate](b))
	case link:
		return reflect.DeepEqual(as[*url.URL](a), as[*url.URL](b))
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		return a.Pointer() == b.Pointer() || !a.IsNil() && !b.IsNil() && equal(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		return reflect.DeepEqual(as[any](a), as[any](b))
	case reflect.Interface:
		return object(as[any](a), as[any](b))
	case reflect.Func:
		return closure(a) == closure(b)
	}
	return a.Comparable() && a.Equal(b)
}

// as reads a value that may be an unexported field.
func as[T any](v reflect.Value) T {
	t, _ := reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem().Interface().(T) // nil in an interface has no type
	return t
}

// closure tells functions apart, which Go does not compare.
func closure(f reflect.Value) unsafe.Pointer { return *(*unsafe.Pointer)(f.Addr().UnsafePointer()) }

// privateKey is what the private keys of the standard library are.
type privateKey interface {
	crypto.Signer
	Equal(other crypto.PrivateKey) bool
}

// object compares what the program has brought. Two private keys are one if they
// say so.
func object(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	if key, ok := a.(privateKey); ok {
		return key.Equal(b)
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.Type() == y.Type() && x.Comparable() && x.Equal(y)
}
