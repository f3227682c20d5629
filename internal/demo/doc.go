// Package demo is bearward demo: an issuer, and one orders API protected by
// one guard over net/http, gin and gRPC, all of it on loopback.
//
// What the demo shows is data (Sections): the same cases are printed as lines
// to copy, executed by Check, and executed by tests.
package demo
