package main

import (
	"context"
	"encoding/json"
	"io"
	"unicode/utf8"

	"google.golang.org/grpc"

	igptv1 "github.com/igptd/igptd/sdk/grpc/go/igpt/v1"
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
		runEvent, err := parseEvent(data, includeRaw, wantJSON)
		if err != nil {
			return err
		}
		if err := stream.Send(newAskResponse(runEvent)); err != nil {
			return err
		}
		switch runEvent.GetEvent().(type) {
		case *igptv1.RunEvent_Started:
			running = true
		case *igptv1.RunEvent_Completed:
			return nil
		}
	}
}

func newAskResponse(runEvent *igptv1.RunEvent) *igptv1.AskResponse {
	return &igptv1.AskResponse{Message: &igptv1.AskResponse_Event{Event: runEvent}}
}

func parseEvent(data []byte, includeRaw, wantJSON bool) (*igptv1.RunEvent, error) {
	var e event
	if !utf8.Valid(data) || json.Unmarshal(data, &e) != nil {
		return nil, errMalformed
	}
	if e.Error != nil {
		return nil, errorOfCode(*e.Error)
	}
	runEvent := &igptv1.RunEvent{Seq: e.Seq, Type: e.Type}
	switch e.Type {
	case "run.start":
		runEvent.Event = &igptv1.RunEvent_Started{Started: e.started()}
	case "run.output_text.delta":
		runEvent.Event = &igptv1.RunEvent_Delta{Delta: e.Delta}
	case "run.done":
		completed, err := e.completed(wantJSON)
		if err != nil {
			return nil, errMalformed
		}
		runEvent.Event = &igptv1.RunEvent_Completed{Completed: completed}
	default:
		includeRaw = true
	}
	if includeRaw {
		runEvent.RawJson = string(data)
	}
	return runEvent, nil
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
	runEvent := &igptv1.RunEvent{Event: &igptv1.RunEvent_Completed{Completed: completed}}
	if request.GetIncludeRaw() {
		runEvent.RawJson = string(body)
	}
	return stream.Send(newAskResponse(runEvent))
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
