// Package ginauth protects gin handlers with a middleware.Guard.
package ginauth

import (
	"github.com/gin-gonic/gin"

	"github.com/bearward/bearward/adapters/httpauth"
	"github.com/bearward/bearward/middleware"
	"github.com/bearward/bearward/validate"
)

// Protect returns a gin middleware that goes on with the chain if the guard
// allows the request by policy, and writes the refusal and aborts otherwise.
// The token is in the request's context: see Token. Protect panics if the
// policy is faulty.
//
// CORS preflight requests go on without a token, for the CORS layer to answer.
func Protect(g *middleware.Guard, p middleware.Policy) gin.HandlerFunc {
	policy, err := g.Prepare(p)
	if err != nil {
		panic(err.Error())
	}
	return func(c *gin.Context) {
		r := httpauth.Request(c.Request)
		r.Route = c.FullPath()
		ctx, d := g.Decide(c.Request.Context(), r, policy)
		if !d.Allowed {
			c.Abort()
			d.Denial.ServeHTTP(c.Writer, c.Request)
			return
		}
		d.Amend(c.Writer.Header())
		for _, name := range d.Remove {
			delete(c.Request.Header, name)
		}
		if ctx != c.Request.Context() {
			c.Request = c.Request.WithContext(ctx)
		}
		c.Next()
	}
}

// Token returns the token that was accepted for this request. It reads the
// request's context; nothing is put into gin's Keys.
func Token(c *gin.Context) (*validate.Token, bool) {
	return middleware.FromContext(c.Request.Context())
}
