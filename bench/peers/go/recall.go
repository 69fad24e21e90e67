package main

import (
	"context"
	"encoding/json"
	"io"
	"unicode/utf8"

	"google.golang.org/grpc"

	igptv1 "igptd/sdk/grpc/go/igpt/v1"
)

type askStream = grpc.ServerStreamingServer[igptv1.AskResponse]

type recallServer struct {
	igptv1.UnimplementedRecallServiceServer
	igpt *client
}

// Ask answers a question as a stream of events.
func (s *recallServer) Ask(request *igptv1.AskRequest, stream askStream) error {
	format := newOutputFormat(request.GetOutputFormat())
	answer, err := s.igpt.post(stream.Context(), "/recall/ask/", askRequest{
		User:         request.GetUser(),
		Input:        request.GetInput(),
		Stream:       !request.GetWholeAnswer(),
		Quality:      request.GetQuality(),
		OutputFormat: format,
	})
	if err != nil {
		return err
	}
	defer answer.Close()
	if request.GetWholeAnswer() || !answer.isEventStream() {
		return sendWholeAnswer(answer, request, format != nil, stream)
	}
	return sendEvents(answer, request.GetIncludeRaw(), format != nil, stream)
}

// sendEvents passes on every event as it arrives. It returns nil only if the answer is complete.
func sendEvents(answer *answer, includeRaw, wantJSON bool, stream askStream) error {
	events := newEventReader(answer, maxEventBytes)
	running := false
	for {
		data, err := events.Next()
		if err == io.EOF && answer.isFramed() && !running {
			return nil
		}
		if err != nil {
			return answer.readError(err)
		}
		if string(data) == "[DONE]" {
			continue
		}
		response, err := parseEvent(data, includeRaw, wantJSON)
		if err != nil {
			return err
		}
		if err := stream.Send(response); err != nil {
			return err
		}
		switch response.GetEvent().(type) {
		case *igptv1.AskResponse_Started:
			running = true
		case *igptv1.AskResponse_Completed:
			return nil
		}
	}
}

func parseEvent(data []byte, includeRaw, wantJSON bool) (*igptv1.AskResponse, error) {
	var e event
	if !utf8.Valid(data) || json.Unmarshal(data, &e) != nil {
		return nil, errMalformed
	}
	if e.Error != nil {
		return nil, errorOfCode(*e.Error)
	}
	response := &igptv1.AskResponse{Seq: e.Seq, Type: e.Type}
	switch e.Type {
	case "run.start":
		response.Event = &igptv1.AskResponse_Started{Started: e.started()}
	case "run.output_text.delta":
		response.Event = &igptv1.AskResponse_Delta{Delta: e.Delta}
	case "run.done":
		completed, err := e.completed(wantJSON)
		if err != nil {
			return nil, errMalformed
		}
		response.Event = &igptv1.AskResponse_Completed{Completed: completed}
	default:
		includeRaw = true
	}
	if includeRaw {
		response.RawJson = string(data)
	}
	return response, nil
}

// sendWholeAnswer passes on an answer that is not a stream as one event. If a stream was requested, it can only be an
// error from iGPT.
func sendWholeAnswer(answer *answer, request *igptv1.AskRequest, wantJSON bool, stream askStream) error {
	body, err := answer.ReadAll()
	if err != nil {
		return err
	}
	var e event
	if !utf8.Valid(body) || json.Unmarshal(body, &e) != nil {
		return errProtocol
	}
	if e.Error != nil {
		return errorOfCode(*e.Error)
	}
	if !request.GetWholeAnswer() {
		return errProtocol
	}
	if e.Output == nil { // then the whole answer is the output
		e.Output = body
	}
	completed, err := e.completed(wantJSON)
	if err != nil {
		return errProtocol
	}
	response := &igptv1.AskResponse{Event: &igptv1.AskResponse_Completed{Completed: completed}}
	if request.GetIncludeRaw() {
		response.RawJson = string(body)
	}
	return stream.Send(response)
}

// Search returns what was found.
func (s *recallServer) Search(ctx context.Context, request *igptv1.SearchRequest) (*igptv1.SearchResponse, error) {
	answer, err := s.igpt.post(ctx, "/recall/search/", searchRequest{
		User:         request.GetUser(),
		Query:        request.GetQuery(),
		DateFrom:     request.GetDateFrom(),
		DateTo:       request.GetDateTo(),
		MaxResults:   request.GetMaxResults(),
		FilterPeople: request.GetFilterPeople(),
	})
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	body, err := answer.ReadAll()
	if err != nil {
		return nil, err
	}
	found, err := parseSearchAnswer(body)
	if err != nil || !utf8.Valid(body) {
		return nil, errProtocol
	}
	if found.Error != nil {
		return nil, errorOfCode(*found.Error)
	}
	response := &igptv1.SearchResponse{Results: make([]*igptv1.SearchResult, 0, len(found.Results))}
	for i := range found.Results {
		response.Results = append(response.Results, found.Results[i].proto())
	}
	if request.GetIncludeRaw() {
		response.RawJson = string(body)
	}
	return response, nil
}
