package main

import (
	"context"
	"errors"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	errIdle      = errors.New("iGPT was silent for too long")
	errTruncated = status.Error(codes.Unavailable, "the stream of iGPT stopped before its end")
	errTooLarge  = status.Error(codes.ResourceExhausted, "the answer of iGPT is too large")
	errMalformed = status.Error(codes.DataLoss, "iGPT sent an event that can't be read")
	errProtocol  = status.Error(codes.Internal, "the answer of iGPT is not what its API promises")
)

// errorOfCode is the status for an iGPT error, which comes with HTTP 200.
func errorOfCode(code string) error {
	switch code {
	case "auth":
		return status.Error(codes.FailedPrecondition, "iGPT refused the API key")
	case "params":
		return status.Error(codes.InvalidArgument, "iGPT refused the parameters")
	default:
		return status.Errorf(codes.Unknown, "iGPT reported the error %.100q", code)
	}
}

// errorOfHTTPStatus is the status for an HTTP status other than 200.
func errorOfHTTPStatus(code int) error {
	switch {
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		return errorOfCode("params")
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return errorOfCode("auth")
	case code == http.StatusTooManyRequests:
		return status.Error(codes.ResourceExhausted, "iGPT limits the rate of requests")
	case code >= 500:
		return status.Errorf(codes.Unavailable, "iGPT answered with HTTP %d", code)
	default:
		return status.Errorf(codes.Internal, "iGPT answered with HTTP %d", code)
	}
}

// errorOfContext is the status for a request that ended because its context did.
func errorOfContext(ctx context.Context) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errIdle):
		return status.Error(codes.Unavailable, errIdle.Error())
	case errors.Is(cause, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the deadline passed")
	default:
		return status.Error(codes.Canceled, "the call was cancelled")
	}
}
