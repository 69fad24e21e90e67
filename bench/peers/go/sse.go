package main

import (
	"bufio"
	"bytes"
	"io"
)

// eventReader reads the data of server-sent events.
type eventReader struct {
	lines *bufio.Scanner
	data  []byte
}

// newEventReader reads events whose lines have at most maxLine bytes.
func newEventReader(body io.Reader, maxLine int) *eventReader {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, min(4096, maxLine)), maxLine)
	return &eventReader{lines: lines}
}

// Next returns the data of the next event, valid until the next call. At the end of the body it returns io.EOF; an
// event without its empty line is dropped there.
func (r *eventReader) Next() ([]byte, error) {
	r.data = r.data[:0]
	found := false
	for r.lines.Scan() {
		line := r.lines.Bytes()
		if len(line) == 0 {
			if found {
				return r.data, nil
			}
			continue
		}
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if found {
				r.data = append(r.data, '\n')
			}
			r.data = append(r.data, bytes.TrimPrefix(data, []byte(" "))...)
			found = true
		}
	}
	if err := r.lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}
