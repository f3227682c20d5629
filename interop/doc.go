// Package interop holds tests against real authorization servers. They start
// the servers themselves, on loopback and without any other network, and are
// skipped where Node.js or a server is missing, unless BEARWARD_REQUIRE_ALL=1.
package interop
