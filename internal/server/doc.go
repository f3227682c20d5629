// Package server is bearward serve: the guard in front of an API that cannot
// have one inside.
//
// A request is matched to one rule ([route]), judged by the guard, and
// forwarded as it was received, byte for byte: without its credentials,
// without headers that could pass for ours, and with the identity headers that
// its token gives. Everything else is refused before the API hears of it.
package server
