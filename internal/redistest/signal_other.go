//go:build !unix

package redistest

// Pause skips the test: processes cannot be paused here.
func (s *Server) Pause() { s.tb.Skip("processes cannot be paused on this system") }

// Resume ends a pause.
func (s *Server) Resume() {}
