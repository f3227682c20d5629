// Command compare runs the same tokens and the same checks through bearward and
// through other Go libraries, and prints what they cost as Markdown:
//
//	go run . > RESULTS.md
//	go run . -short
//
// Every library is set up as its documentation shows, with keys from a key set of
// two on loopback where it fetches keys itself, and is told to check the
// algorithm, signature, iss, aud, exp and nbf as far as it can. Before anything
// is measured, it has to accept a good token; tokens with one fault each say
// what it checks.
//
// Costs are CPU time of the whole process, in interleaved rounds beside a floor
// that nobody can do without; package rounds says how. The calls to the key
// set's endpoint are counted while many callers want a key at once, on the real
// clock, so those of libraries whose answer depends on who came first vary
// from run to run: then the least and the most of several tries are printed.
//
// With -short everything runs only a few times, to see that it works; what it
// prints then means nothing.
package main
