package main

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(reader *eventReader) ([]string, error) {
	var events []string
	for {
		data, err := reader.Next()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, string(data))
	}
}

func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"none", "", nil},
		{"one", "data: {}\n\n", []string{"{}"}},
		{"two", "data: 1\n\ndata: 2\n\n", []string{"1", "2"}},
		{"carriage returns", "data: 1\r\n\r\ndata: 2\r\n\r\n", []string{"1", "2"}},
		{"no space", "data:1\n\n", []string{"1"}},
		{"several lines", "data: 1\ndata: 2\n\n", []string{"1\n2"}},
		{"other fields and comments", ": hello\nevent: x\nid: 1\n\nretry: 1\ndata: 1\n\n", []string{"1"}},
		{"cut before the empty line", "data: 1\n\ndata: 2\n", []string{"1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, body := range []io.Reader{strings.NewReader(test.body), iotest.OneByteReader(strings.NewReader(test.body))} {
				got, err := readAll(newEventReader(body, 100))
				if err != nil || !slices.Equal(got, test.want) {
					t.Errorf("got %q, %v; want %q", got, err, test.want)
				}
			}
		})
	}
}

func TestLineTooLong(t *testing.T) {
	reader := newEventReader(strings.NewReader("data: 1\n\ndata: "+strings.Repeat("x", 100)+"\n\n"), 100)
	got, err := readAll(reader)
	if !slices.Equal(got, []string{"1"}) || !errors.Is(err, bufio.ErrTooLong) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBrokenBody(t *testing.T) {
	body := io.MultiReader(strings.NewReader("data: 1\n\ndata: "), iotest.ErrReader(io.ErrUnexpectedEOF))
	got, err := readAll(newEventReader(body, 100))
	if !slices.Equal(got, []string{"1"}) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", got, err)
	}
}
