package egress

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is one question to an authorization server.
type Request struct {
	Method string
	URL    string
	// Header is all that goes out besides Host, Content-Length and User-Agent.
	// It is copied.
	Header http.Header
	Body   string
}

// Response is an answer that was read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Call is one finished exchange.
type Call struct {
	Host   string
	Status int // 0 if there was no answer
	Took   time.Duration
	Err    error
}

// StatusError is an answer with a status that its reader cannot use. No method
// of Client returns it; it is here for their callers.
type StatusError int

// Error tells the status.
func (e StatusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// Get fetches a document; see Do.
func (c *Client) Get(ctx context.Context, rawURL string) (Response, error) {
	return c.Do(ctx, Request{Method: http.MethodGet, URL: rawURL, Header: documents})
}

// documents is the header of Get.
var documents = http.Header{"Accept": {"application/json, application/*+json"}}

// Do makes one exchange. A redirect is never followed: it is ErrRedirect with
// the answer's status and header. Any other status is the caller's to judge.
// After any other error Response.Status is 0 if there was no answer at all.
// Errors contain neither the URL nor anything else of the request.
//
// A connection that the server closed is replaced only if nothing of a POST was
// written, so no POST is processed twice.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	u, err := c.target(r.URL)
	if err != nil {
		return Response{}, err
	}
	began := time.Now()
	resp, err := c.exchange(ctx, u, r)
	if c.config.Done != nil {
		c.config.Done(Call{Host: u.Host, Status: resp.Status, Took: time.Since(began), Err: err})
	}
	return resp, err
}

// Within is context.WithTimeout, but for nothing where ctx ends by then anyway.
func Within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

func (c *Client) exchange(ctx context.Context, u *url.URL, r Request) (Response, error) {
	ctx, cancel := Within(ctx, c.config.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, "", strings.NewReader(r.Body))
	if err != nil {
		return Response{}, ErrURL
	}
	req.URL, req.Host = u, u.Host
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	req.Header.Set("User-Agent", "bearward")
	transport := c.secure
	if u.Scheme == "http" {
		transport = c.plain
	}
	// A bare RoundTrip has no cookies and follows nothing.
	answer, err := transport.RoundTrip(req)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	out := Response{Status: answer.StatusCode, Header: answer.Header}
	if answer.StatusCode < http.StatusOK { // [JK-07] another protocol: no timeout ends a read of it
		return out, nil
	}
	if answer.StatusCode/100 == 3 { // [JK-07]
		return out, ErrRedirect
	}
	out.Body, err = c.read(answer)
	return out, err
}

func (c *Client) read(answer *http.Response) (string, error) {
	most := c.config.MaxBytes
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return "", fmt.Errorf("reading the body: %w", err)
	}
	if int64(len(body)) > most { // [JK-07]
		return "", ErrTooLarge
	}
	return string(body), nil
}
