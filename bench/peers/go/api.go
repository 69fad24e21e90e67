package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	igptv1 "github.com/igptd/igptd/sdk/grpc/go/igpt/v1"
)

// The JSON of the iGPT API.

type askRequest struct {
	User         string `json:"user"`
	Input        string `json:"input"`
	Stream       bool   `json:"stream"`
	Quality      string `json:"quality,omitempty"`
	OutputFormat any    `json:"output_format,omitempty"`
}

type schemaFormat struct {
	Type   string          `json:"type,omitempty"`
	Name   string          `json:"name,omitempty"`
	Strict bool            `json:"strict,omitempty"`
	Schema json.RawMessage `json:"schema"`
}

type searchRequest struct {
	User         string `json:"user"`
	Query        string `json:"query,omitempty"`
	DateFrom     string `json:"date_from,omitempty"`
	DateTo       string `json:"date_to,omitempty"`
	MaxResults   int32  `json:"max_results,omitempty"`
	FilterPeople string `json:"filter_people,omitempty"`
}

// event is an event of a stream, or a whole answer.
type event struct {
	Error        *string         `json:"error"`
	Type         string          `json:"type"`
	Seq          *int32          `json:"seq"`
	Delta        string          `json:"delta"`
	ID           string          `json:"id"`
	Context      runContext      `json:"context"`
	OutputFormat json.RawMessage `json:"output_format"`
	Output       json.RawMessage `json:"output"`
	Usage        *usage          `json:"usage"`
	Metadata     metadata        `json:"metadata"`
	// Milliseconds.
	Timestamp      *float64 `json:"timestamp"`
	TimestampStart *float64 `json:"timestampStart"`
	Duration       *float64 `json:"duration"`
}

type runContext struct {
	Quality         string       `json:"quality"`
	ReasoningEffort string       `json:"reasoning_effort"`
	Indexed         *int32       `json:"indexed"`
	Datasources     []datasource `json:"datasources"`
}

type datasource struct {
	ID       string   `json:"id"`
	Service  string   `json:"service"`
	Type     string   `json:"type"`
	Status   string   `json:"status"`
	Title    string   `json:"title"`
	Subtitle string   `json:"subtitle"`
	Progress *float64 `json:"progress"`
	// Seconds.
	Newest *float64 `json:"newest"`
	Oldest *float64 `json:"oldest"`
}

type usage struct {
	InputTokens  int32 `json:"input_tokens"`
	OutputTokens int32 `json:"output_tokens"`
	TotalTokens  int32 `json:"total_tokens"`
}

type metadata struct {
	Sources []source `json:"sources"`
}

type source struct {
	ID        string   `json:"id"`
	Type      string   `json:"type"`
	Timestamp *float64 `json:"timestamp"` // seconds
	Provider  string   `json:"provider"`
	Picture   string   `json:"picture"`
	Title     string   `json:"title"`
}

type searchAnswer struct {
	Error   *string        `json:"error"`
	Results []searchResult `json:"results"`
}

type searchResult struct {
	ID       string      `json:"id"`
	Subject  string      `json:"subject"`
	Content  string      `json:"content"`
	Body     string      `json:"body"`
	From     string      `json:"from"`
	To       stringOrAll `json:"to"`
	Date     string      `json:"date"`
	ThreadID string      `json:"thread_id"`
}

// stringOrAll is a string or a list of strings.
type stringOrAll []string

func (s *stringOrAll) UnmarshalJSON(data []byte) error {
	if data[0] != '"' {
		return json.Unmarshal(data, (*[]string)(s))
	}
	*s = []string{""}
	return json.Unmarshal(data, &(*s)[0])
}

var errNoJSON = errors.New("JSON was asked for, and the output is none")

// newOutputFormat returns nil for text.
func newOutputFormat(format *igptv1.OutputFormat) any {
	switch f := format.GetFormat().(type) {
	case *igptv1.OutputFormat_Json:
		return "json"
	case *igptv1.OutputFormat_JsonSchema:
		schema := schemaFormat{
			Name:   f.JsonSchema.GetName(),
			Strict: f.JsonSchema.GetStrict(),
			Schema: json.RawMessage(f.JsonSchema.GetSchema()),
		}
		if schema.Name != "" {
			schema.Type = "json_schema"
		}
		return schema
	default:
		return nil
	}
}

func (e *event) started() *igptv1.RunStarted {
	started := &igptv1.RunStarted{
		Id:               e.ID,
		StartTime:        milliseconds(e.Timestamp),
		Quality:          e.Context.Quality,
		ReasoningEffort:  e.Context.ReasoningEffort,
		Indexed:          e.Context.Indexed,
		OutputFormatJson: string(e.OutputFormat),
	}
	for _, d := range e.Context.Datasources {
		started.Datasources = append(started.Datasources, &igptv1.Datasource{
			Id:             d.ID,
			Service:        d.Service,
			Type:           d.Type,
			Status:         d.Status,
			Title:          d.Title,
			Subtitle:       d.Subtitle,
			Progress:       d.Progress,
			NewestItemTime: seconds(d.Newest),
			OldestItemTime: seconds(d.Oldest),
		})
	}
	return started
}

// completed makes the end of an answer. Text that was requested as text is never parsed as JSON.
func (e *event) completed(wantJSON bool) (*igptv1.RunCompleted, error) {
	completed := &igptv1.RunCompleted{
		Id:        e.ID,
		StartTime: milliseconds(e.TimestampStart),
		EndTime:   milliseconds(e.Timestamp),
	}
	switch {
	case len(e.Output) == 0 || string(e.Output) == "null":
	case e.Output[0] != '"':
		completed.Output = &igptv1.RunCompleted_Json{Json: string(e.Output)}
	default:
		var text string
		if err := json.Unmarshal(e.Output, &text); err != nil {
			return nil, err
		}
		if !wantJSON {
			completed.Output = &igptv1.RunCompleted_Text{Text: text}
			break
		}
		if !json.Valid([]byte(text)) {
			return nil, errNoJSON
		}
		completed.Output = &igptv1.RunCompleted_Json{Json: text}
	}
	if e.Usage != nil {
		completed.Usage = &igptv1.Usage{
			InputTokens:  e.Usage.InputTokens,
			OutputTokens: e.Usage.OutputTokens,
			TotalTokens:  e.Usage.TotalTokens,
		}
	}
	for _, s := range e.Metadata.Sources {
		completed.Sources = append(completed.Sources, &igptv1.Source{
			Id:       s.ID,
			Type:     s.Type,
			ItemTime: seconds(s.Timestamp),
			Provider: s.Provider,
			Picture:  s.Picture,
			Title:    s.Title,
		})
	}
	if e.Duration != nil {
		completed.Duration = durationpb.New(time.Duration(*e.Duration * float64(time.Millisecond)))
	}
	return completed, nil
}

// parseSearchAnswer reads a list of results, an object that holds one, or null.
func parseSearchAnswer(body []byte) (answer searchAnswer, err error) {
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		err = json.Unmarshal(body, &answer.Results)
	} else {
		err = json.Unmarshal(body, &answer)
	}
	return answer, err
}

func (r *searchResult) proto() *igptv1.SearchResult {
	content := r.Content
	if content == "" {
		content = r.Body
	}
	return &igptv1.SearchResult{
		Id:         r.ID,
		Subject:    r.Subject,
		Content:    content,
		Sender:     r.From,
		Recipients: r.To,
		Date:       r.Date,
		ThreadId:   r.ThreadID,
	}
}

func milliseconds(unix *float64) *timestamppb.Timestamp {
	if unix == nil {
		return nil
	}
	return timestamppb.New(time.UnixMilli(int64(*unix)))
}

func seconds(unix *float64) *timestamppb.Timestamp {
	if unix == nil {
		return nil
	}
	whole, fraction := math.Modf(*unix)
	return timestamppb.New(time.Unix(int64(whole), int64(fraction*1e9)))
}
