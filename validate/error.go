package validate

import "errors"

// Error is why a token or a request was refused. Compare by Code:
//
//	if errors.Is(err, validate.ErrExpired) { … }
//
// Its text is for logs. It never contains the token.
type Error struct {
	Code   Code
	Claim  string // the claim or header member concerned, if one is
	Issuer string // the configured issuer whose rules refused, if one was found
	Err    error  // the cause, if there is one
}

// Error describes the refusal.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Claim != "" {
		text += " (" + e.Claim + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's Code, or an Error with it.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return t == e.Code
	case *Error:
		return t.Code == e.Code
	}
	return false
}

// CodeOf returns the code that decides about err. An error without a code is
// ErrInternal: what is not understood is never blamed on the client.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		if e == nil { // a nil pointer that became an error by mistake
			return ErrInternal
		}
		return e.Code
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return ErrInternal
}

func refuse(code Code) *Error { return &Error{Code: code} }

func refuseClaim(code Code, claim string) *Error { return &Error{Code: code, Claim: claim} }

func refuseFor(code Code, err error) *Error { return &Error{Code: code, Err: err} }
