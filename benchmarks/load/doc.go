// Command load measures what bearward costs a server over its socket, beside the
// same server without it, and writes benchmarks/load/RESULTS.md. From the root of
// the module:
//
//	go run ./benchmarks/load
//	go run ./benchmarks/load -rounds 1 -time 1s -tokens 1000 -out ""
//
// It builds package server, starts a process for each variant and workload, all
// with the same issuer, and lets the same requests loose on each in turn, in
// interleaved rounds: one token over and over, many tokens in rotation, and tokens
// that are bound to a key with a fresh proof each, signed before the clock runs.
//
// The load comes from package drive, in this process, and from wrk (Debian has a
// package) if there is one. Client and servers share the machine's cores, so the
// rate of answers is what both cost together; the server's CPU time per request is
// its own.
//
// Answers that are not right end the run with an error. Everything else ends by
// itself after -limit.
package main
