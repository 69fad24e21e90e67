#include "service/sandbox/delivery.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr char kJson[] = "application/json";
// Between deltas: about what a model takes for a word.
constexpr absl::Duration kPause = absl::Milliseconds(15);
// How soon a client that went away is noticed while nothing is sent.
constexpr absl::Duration kLook = absl::Milliseconds(10);

constexpr char kLoginPage[] = "<!doctype html>\n<title>Sign in</title>\n<h1>Sign in</h1>\n";

// The way to one client. Every function is false once there is nobody to write to.
class Wire {
 public:
  Wire(httplib::DataSink& sink, size_t split, const Stopping& stopping)
      : sink_(sink), split_(split), stopping_(stopping) {}

  bool Write(std::string_view text) {
    while (!text.empty()) {
      const std::string_view piece = text.substr(0, split_ == 0 ? text.size() : split_);
      if (stopping_.WaitFor(absl::ZeroDuration()) || !sink_.write(piece.data(), piece.size())) return false;
      text.remove_prefix(piece.size());
    }
    return true;
  }

  bool Wait(absl::Duration duration) { return !stopping_.WaitFor(duration) && sink_.is_writable(); }

  void Stall() {
    while (Wait(kLook)) {
    }
  }

 private:
  httplib::DataSink& sink_;
  const size_t split_;
  const Stopping& stopping_;
};

// False: the connection is to be closed without the body's proper end.
bool WriteEvents(const Run& run, const Faults& faults, Wire& wire) {
  const auto write = [&](const std::string& text) { return wire.Write(Cat("data: ", text, "\n\n")); };
  const std::vector<Json> events = RunEvents(run);
  for (size_t i = 0; i <= events.size(); ++i) {
    if (faults.cut == i) return false;
    if (faults.stall == i) return wire.Stall(), false;
    if (!faults.error.empty() && faults.after == i) return write(Dump({{"error", faults.error}}));
    const bool last = i == events.size();
    if (last && faults.noend) return true;
    const Json event = last ? RunDone(run, i, absl::Now()) : events[i];
    if (event["type"] == "run.output_text.delta" && !wire.Wait(kPause)) return false;
    if (!write(Break(faults, i, Dump(event)))) return false;
  }
  return true;
}

}  // namespace

bool DeliverFault(const Faults& faults, httplib::Response& response) {
  if (!faults.retry_after.empty()) response.set_header("Retry-After", faults.retry_after);
  if (faults.status != 200) {
    response.status = faults.status;
    if (faults.status / 100 == 3) response.set_header("Location", "/elsewhere");
    if (faults.status != 204 && faults.status != 304) response.set_content(R"({"message":"sandbox fault"})", kJson);
  } else if (faults.html) {
    response.set_content(kLoginPage, "text/html; charset=utf-8");
  } else if (faults.empty) {
    response.set_content("", kJson);
  } else if (!faults.error.empty() && !faults.after.has_value()) {
    response.set_content(Dump({{"error", faults.error}}), kJson);
  } else {
    return false;
  }
  return true;
}

void Deliver(const Reply& reply, const Faults& faults, const Stopping& stopping, httplib::Response& response) {
  response.status = reply.status;
  std::string body = Break(faults, 0, Dump(faults.error.empty() ? reply.body : Json{{"error", faults.error}}));
  if (!faults.cut.has_value() && !faults.stall.has_value() && faults.split == 0) {
    response.set_content(body, kJson);
    return;
  }
  const size_t length = body.size();
  response.set_content_provider(
      length, kJson,
      [body = std::move(body), faults, &stopping](size_t /*offset*/, size_t /*length*/, httplib::DataSink& sink) {
        Wire wire(sink, faults.split, stopping);
        if (faults.stall.has_value()) return wire.Stall(), false;
        const bool written =
            wire.Write(std::string_view(body).substr(0, body.size() / (faults.cut.has_value() ? 2 : 1)));
        return written && !faults.cut.has_value();
      });
}

void DeliverStream(Run run, const Faults& faults, const Stopping& stopping, httplib::Response& response) {
  response.set_header("Cache-Control", "no-cache");
  response.set_chunked_content_provider("text/event-stream", [run = std::make_shared<Run>(std::move(run)), faults,
                                                              &stopping](size_t /*offset*/, httplib::DataSink& sink) {
    Wire wire(sink, faults.split, stopping);
    if (!WriteEvents(*run, faults, wire)) return false;
    sink.done();
    return true;
  });
}

}  // namespace igptd::sandbox
