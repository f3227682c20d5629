// Package shares hands what a Guard has in common with those it is updated to from
// one Update to the next. Only package bearward knows what that is.
package shares

// Put attaches it to a *middleware.Guard, before anybody uses that. Package
// middleware sets it.
var Put func(guard, shared any)

// Of returns it, nil if there is nothing. Package middleware sets it.
var Of func(guard any) any
