// Shared by the tests of igpt::sdk over real sockets.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "igpt/client.h"
#include "igpt/error.h"
#include "igpt/testing/event.h"
#include "igpt/testing/exchange.h"
#include "igpt/testing/scripted_http_server.h"
#include "igpt/unstable/on_loop.h"
#include "tests/support/matchers.h"

namespace igpt::testing {

// For a client of `server` that sends every request once.
inline Options OptionsFor(const ScriptedHttpServer& server) {
  Options options;
  options.api_key = "ak:test";
  options.user = "ada";
  options.base_url = server.url("/v1");
  options.max_retries = 1;
  return options;
}

inline std::unique_ptr<Client> MakeClient(Options options, unstable::EventLoop* loop = nullptr) {
  absl::StatusOr<Client> client =
      loop == nullptr ? Client::Create(std::move(options)) : unstable::OnLoop::Create(std::move(options), *loop);
  EXPECT_THAT(client, IsOk());
  return std::make_unique<Client>(*std::move(client));
}

inline std::unique_ptr<unstable::EventLoop> MakeLoop() {
  absl::StatusOr<std::unique_ptr<unstable::EventLoop>> loop = unstable::EventLoop::Create();
  EXPECT_THAT(loop, IsOk());
  return *std::move(loop);
}

// Runs `function` on the loop's thread and waits until it has finished.
inline void RunOnLoop(unstable::EventLoop& loop, absl::AnyInvocable<void()> function) {
  Event done;
  loop.Post([&] {
    function();
    done.Set();
  });
  ASSERT_TRUE(done.Await());
}

// A question whose events keep their text, so that tests can compare it.
template <typename Request = AskRequest>
Request Question() {
  Request request;
  request.input = "What did we decide?";
  request.include_raw = true;
  return request;
}

inline AuthorizeRequest ConnectSpike() {
  AuthorizeRequest request;
  request.service = "spike";
  request.scope = "messages";
  return request;
}
inline DisconnectRequest DisconnectSpike() {
  DisconnectRequest request;
  request.id = "spike/1/messages";
  return request;
}

inline CallOptions Within(absl::Duration duration) {
  CallOptions options;
  options.deadline = MonotonicTime::Now() + duration;
  return options;
}

// Everything that was read from a stream, to its end.
struct Reading {
  std::vector<std::string> events;  // as iGPT wrote them
  EventResult end;                  // nullopt or an error

  bool proper() const { return end.ok() && !end->has_value(); }
  Error error() const { return ErrorOf(end.status()).value_or(Error()); }

  // Adds a result. Returns false if it was the end.
  bool Take(EventResult result) {
    if (result.ok() && result->has_value()) {
      events.push_back((*result)->raw_json);
      return true;
    }
    end = std::move(result);
    return false;
  }
};

inline Reading ReadAll(EventStream& stream) {
  Reading reading;
  while (reading.Take(stream.Read())) {
  }
  return reading;
}
inline Reading ReadAll(EventStream&& stream) {
  return ReadAll(stream);
}

inline Reading AskAll(Client& client, AskRequest request = Question(), CallOptions options = {}) {
  return ReadAll(client.recall().AskStream(std::move(request), std::move(options)));
}

MATCHER(EndsProperly, "ends properly") {
  *result_listener << arg.events.size() << " events, then " << arg.end.status().ToString();
  return arg.proper();
}

// How a call with a callback ended. Thread-safe.
class Outcome {
 public:
  void Set(absl::Status status) {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
      status_ = std::move(status);
    }
    set_.Set();
  }

  // A callback that sets it.
  auto Callback() {
    // Moved: Abseil's counts of references are not instrumented, so ThreadSanitizer must not see a status shared.
    return [this](auto result) { Set(std::move(result).status()); };
  }

  absl::Status Await() {
    if (!set_.Await()) return absl::UnknownError("there was no callback");
    const std::lock_guard lock(mutex_);
    return status_;
  }

  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  Event set_;
  std::mutex mutex_;  // guards what follows
  int count_ = 0;
  absl::Status status_;
};

// Events of a run.
inline constexpr std::string_view kRunStart = R"({"type":"run.start","seq":0,"id":"r1"})";
inline constexpr std::string_view kRunDone = R"({"type":"run.done","seq":99,"id":"r1","output":"We will."})";
inline std::string DeltaEvent(int seq) {
  return absl::StrCat(R"({"type":"run.output_text.delta","seq":)", seq, R"(,"delta":"We "})");
}

// Handlers.

// A whole stream of these events.
inline Handler Stream(std::vector<std::string> events) {
  return [events = std::move(events)](Exchange& exchange) {
    exchange.StartSse();
    for (const std::string& event : events) exchange.SendSse(event);
    exchange.EndChunked();
  };
}
inline Handler WholeRun() {
  return Stream({std::string(kRunStart), DeltaEvent(1), std::string(kRunDone)});
}

inline Handler Respond(int status, std::string body, HttpHeaders headers = {{"Content-Type", "application/json"}}) {
  return [=](Exchange& exchange) { exchange.Answer(status, body, headers); };
}

inline void Stall(Exchange& exchange) {
  exchange.Stall();
}

inline void Reset(Exchange& exchange) {
  exchange.Reset();
}

}  // namespace igpt::testing
