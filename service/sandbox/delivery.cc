#include "service/sandbox/delivery.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
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
  Wire(HttpBodyWriter& writer, size_t split, const Stopping& stopping)
      : writer_(writer), split_(split), stopping_(stopping) {}

  bool Write(std::string_view text) {
    while (!text.empty()) {
      const std::string_view piece = text.substr(0, split_ == 0 ? text.size() : split_);
      if (stopping_.WaitFor(absl::ZeroDuration()) || !writer_.Write(piece)) return false;
      text.remove_prefix(piece.size());
    }
    return true;
  }

  bool Wait(absl::Duration duration) { return !stopping_.WaitFor(duration) && writer_.IsOpen(); }

  void Stall() {
    while (Wait(kLook)) {
    }
  }

 private:
  HttpBodyWriter& writer_;
  const size_t split_;
  const Stopping& stopping_;
};

// False: the connection is to be closed without the body's proper end.
bool WriteEvents(const Run& run, const Faults& faults, Wire& wire) {
  const auto write = [&](const std::string& text) { return wire.Write(Cat("data: ", text, "\n\n")); };
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Json> events = RunEvents(run);
  for (size_t i = 0; i <= events.size(); ++i) {
    if (faults.cut == i) return false;
    if (faults.stall == i) return wire.Stall(), false;
    if (!faults.error.empty() && faults.after == i) return write(Dump({{"error", faults.error}}));
    const bool last = i == events.size();
    if (last && faults.noend) return true;
    const Json event = last ? RunDone(run, i, absl::FromChrono(std::chrono::steady_clock::now() - start)) : events[i];
    if (event["type"] == "run.output_text.delta" && !wire.Wait(kPause)) return false;
    if (!write(Break(faults, i, Dump(event)))) return false;
  }
  return true;
}

}  // namespace

std::optional<HttpResponse> FaultResponse(const Faults& faults) {
  if (faults.status != 200) {
    HttpResponse response = {.status = faults.status};
    if (faults.status / 100 == 3) response.headers.emplace_back("Location", "/elsewhere");
    if (faults.status != 204 && faults.status != 304) {
      response.content_type = kJson;
      response.body = R"({"message":"sandbox fault"})";
    }
    return response;
  }
  if (faults.html) return HttpResponse{.content_type = "text/html; charset=utf-8", .body = kLoginPage};
  if (faults.empty) return HttpResponse{.content_type = kJson};
  if (!faults.error.empty() && !faults.after.has_value()) {
    return HttpResponse{.content_type = kJson, .body = Dump({{"error", faults.error}})};
  }
  return std::nullopt;
}

HttpResponse WholeResponse(const Reply& reply, const Faults& faults, const Stopping& stopping) {
  HttpResponse response = {.status = reply.status, .content_type = kJson};
  std::string body = Break(faults, 0, Dump(faults.error.empty() ? reply.body : Json{{"error", faults.error}}));
  if (!faults.cut.has_value() && !faults.stall.has_value() && faults.split == 0) {
    response.body = std::move(body);
    return response;
  }
  response.length = body.size();
  response.write_body = [body = std::move(body), faults, &stopping](HttpBodyWriter& writer) {
    Wire wire(writer, faults.split, stopping);
    if (faults.stall.has_value()) return wire.Stall(), false;
    if (faults.cut.has_value()) return wire.Write(std::string_view(body).substr(0, body.size() / 2)), false;
    return wire.Write(body);
  };
  return response;
}

HttpResponse StreamResponse(Run run, const Faults& faults, const Stopping& stopping) {
  return {.headers = {{"Cache-Control", "no-cache"}},
          .content_type = "text/event-stream",
          .write_body = [run = std::move(run), faults, &stopping](HttpBodyWriter& writer) {
            Wire wire(writer, faults.split, stopping);
            return WriteEvents(run, faults, wire);
          }};
}

}  // namespace igptd::sandbox
