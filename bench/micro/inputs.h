// The benchmarks' inputs: iGPT's JSON in realistic shapes and sizes.
#pragma once

#include <cstddef>
#include <string>

namespace igpt::bench {

// A run.output_text.delta with three words.
std::string DeltaJson();

// A run.done with 4 KB of text in paragraphs, its usage and five sources.
std::string RunDoneJson();

// A Search answer of about this many bytes, in results with 400 bytes of content each.
std::string SearchJson(size_t bytes);

// The body of a stream with this many delta events.
std::string DeltaStream(int events);

// A JSON Schema as an application would send it.
std::string InvoiceSchema();

}  // namespace igpt::bench
