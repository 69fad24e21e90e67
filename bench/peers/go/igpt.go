package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	connectTimeout = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxAnswerBytes = 16 << 20
	maxEventBytes  = 1 << 20
	// As many connections as calls at a time, so that every connection is reused.
	maxIdleConnections = 20000
	// A body is read to its end, so that its connection can be reused, if no more than this is left.
	maxRestBytes = 4096
	maxRestTime  = 100 * time.Millisecond
)

// client sends requests to the iGPT API.
type client struct {
	http    *http.Client
	baseURL string
	key     string
}

// newClient makes a client. Without a caFile the system's certificates are trusted.
func newClient(baseURL, key, caFile string) (*client, error) {
	if key == "" {
		return nil, errors.New("IGPT_API_KEY is not set")
	}
	config := &tls.Config{}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificates", caFile)
		}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &client{
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
				TLSClientConfig:     config,
				TLSHandshakeTimeout: connectTimeout,
				MaxIdleConns:        maxIdleConnections,
				MaxIdleConnsPerHost: maxIdleConnections,
				IdleConnTimeout:     90 * time.Second,
				DisableCompression:  true,
				Protocols:           protocols,
			},
			// The key goes nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		baseURL: strings.TrimRight(baseURL, "/"),
		key:     key,
	}, nil
}

// post sends one request. An answer whose HTTP status is not 200 is an error; the caller closes any other.
func (c *client) post(ctx context.Context, path string, body any) (*answer, error) {
	encoded, err := json.Marshal(body)
	if err != nil { // only the caller's schema can be invalid JSON
		return nil, status.Error(codes.InvalidArgument, "output_format.json_schema.schema is not JSON")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.baseURL+path, bytes.NewReader(encoded))
	if err != nil {
		cancel(nil)
		return nil, status.Error(codes.Internal, "the base URL of iGPT is invalid")
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Client", "igpt-grpc-go/1.0.0")
	// Never sent, but it lets the transport repeat the request when iGPT has just closed an idle connection.
	request.Header["Idempotency-Key"] = []string{}

	idle := time.AfterFunc(idleTimeout, func() { cancel(errIdle) })
	response, err := c.http.Do(request)
	idle.Stop()
	if err != nil {
		defer cancel(nil)
		if ctx.Err() != nil {
			return nil, errorOfContext(ctx)
		}
		return nil, status.Error(codes.Unavailable, "iGPT can't be reached")
	}
	a := &answer{
		ctx:      ctx,
		cancel:   cancel,
		idle:     idle,
		response: response,
		body:     http.MaxBytesReader(nil, response.Body, maxAnswerBytes),
	}
	if response.StatusCode != http.StatusOK {
		a.Close()
		return nil, errorOfHTTPStatus(response.StatusCode)
	}
	return a, nil
}

// answer is an HTTP answer under way.
type answer struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	idle     *time.Timer
	response *http.Response
	body     io.ReadCloser
}

// Read reads from the body, within the idle timeout and the size limit.
func (a *answer) Read(p []byte) (int, error) {
	a.idle.Reset(idleTimeout)
	n, err := a.body.Read(p)
	a.idle.Stop()
	return n, err
}

// ReadAll reads the whole body.
func (a *answer) ReadAll() ([]byte, error) {
	var body bytes.Buffer
	if length := a.response.ContentLength; length > 0 && length <= maxAnswerBytes {
		body.Grow(int(length) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(a); err != nil {
		return nil, a.readError(err)
	}
	return body.Bytes(), nil
}

// Close ends the request. Its connection is reused if the body was read to its end, or nearly.
func (a *answer) Close() {
	a.idle.Reset(maxRestTime)
	_, _ = io.CopyN(io.Discard, a.body, maxRestBytes)
	a.idle.Stop()
	a.cancel(nil)
	a.body.Close()
}

// isEventStream says whether the answer is a stream of server-sent events.
func (a *answer) isEventStream() bool {
	mediaType, _, err := mime.ParseMediaType(a.response.Header.Get("Content-Type"))
	return err == nil && mediaType == "text/event-stream"
}

// isFramed says whether the body's end can be distinguished from a cut connection.
func (a *answer) isFramed() bool {
	return a.response.ContentLength >= 0 || len(a.response.TransferEncoding) > 0
}

// readError is the status for an error of Read, or of an eventReader above it.
func (a *answer) readError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, bufio.ErrTooLong):
		return errTooLarge
	case a.ctx.Err() != nil:
		return errorOfContext(a.ctx)
	default:
		return errTruncated
	}
}
