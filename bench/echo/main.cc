// The floor for igptd's figures: a server for igpt.v1.RecallService with gRPC's completion queues and nothing else, no
// iGPT behind it and no limits. It makes up its answers from the directives in the request ("bench events=100"):
// `bytes` is the size of a Search answer, `events` the number of deltas of an Ask. Deltas are sent as fast as the
// caller reads.
//
// One queue and one thread per core. A call lives on the queue that it came from, so nothing here is locked.
#include <grpc/grpc.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/async_unary_call.h"
#include "igpt/v1/recall.grpc.pb.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "address to listen on; port 0 picks a free port");
ABSL_FLAG(std::string, port_file, "", "file to write the port to, once it is open");

namespace igpt::bench {
namespace {

namespace v1 = igpt::v1;

// How many calls of each RPC may arrive on each queue at once before one has to wait for the thread.
constexpr int kAcceptedAhead = 128;

constexpr int64_t kContentBytes = 400;
constexpr int64_t kBytesPerDelta = 40;  // of the whole text in the last event
constexpr int64_t kMaxTextBytes = 4096;

// The number in " name=number", or `otherwise`.
int64_t Directive(const std::string& text, std::string_view name, int64_t otherwise) {
  const std::string word = absl::StrCat(" ", std::string(name), "=");
  const size_t at = text.find(word);
  return at == text.npos ? otherwise : std::strtoll(text.c_str() + at + word.size(), nullptr, 10);
}

// The clock by which the load generator computes the age of an event.
int64_t MonotonicNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// This many bytes of words.
std::string Words(int64_t bytes) {
  constexpr std::string_view kWords = "the invoice for the hall is due on Friday and ";
  std::string text;
  while (static_cast<int64_t>(text.size()) < bytes) text += kWords;
  text.resize(bytes);
  return text;
}

// An answer of about this many bytes.
v1::SearchResponse MakeSearchResponse(int64_t bytes) {
  v1::SearchResponse response;
  for (int64_t left = bytes; left > 0;) {
    v1::SearchResult* result = response.add_results();
    result->set_id(absl::StrCat("msg_", 100'000 + response.results_size()));
    result->set_subject("The hall on Friday");
    result->set_content(Words(std::min(kContentBytes, left)));
    result->set_sender("ada@example.com");
    result->add_recipients("bob@example.com");
    result->set_date("2025-03-14T09:26:53Z");
    result->set_thread_id("thr_4711");
    left -= static_cast<int64_t>(result->ByteSizeLong());
  }
  return response;
}

// A call: the tag of all its operations, of which there is one at a time. Deletes itself when it is over.
class Call {
 public:
  virtual ~Call() = default;
  // `ok` is as grpc::CompletionQueue::Next returns it.
  virtual void OnCompleted(bool ok) = 0;
};

// A queue, and what its calls share. Used by the queue's thread.
struct Worker {
  v1::RecallService::AsyncService& service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::map<int64_t, v1::SearchResponse> search_responses = {};  // by size
};

class SearchCall final : public Call {
 public:
  explicit SearchCall(Worker& worker) : worker_(worker) {
    grpc::ServerCompletionQueue* queue = worker.queue.get();
    worker.service.RequestSearch(&context_, &request_, &responder_, queue, queue, this);
  }

  void OnCompleted(bool ok) override {
    if (!ok || std::exchange(answered_, true)) {
      delete this;
      return;
    }
    new SearchCall(worker_);
    const int64_t bytes = Directive(request_.query(), "bytes", 4096);
    const auto [response, is_new] = worker_.search_responses.try_emplace(bytes);
    if (is_new) response->second = MakeSearchResponse(bytes);
    responder_.Finish(response->second, grpc::Status::OK, this);
  }

 private:
  Worker& worker_;
  grpc::ServerContext context_;
  v1::SearchRequest request_;
  grpc::ServerAsyncResponseWriter<v1::SearchResponse> responder_{&context_};
  bool answered_ = false;
};

class AskCall final : public Call {
 public:
  explicit AskCall(Worker& worker) : worker_(worker) {
    grpc::ServerCompletionQueue* queue = worker.queue.get();
    worker.service.RequestAsk(&context_, &request_, &responder_, queue, queue, this);
  }

  void OnCompleted(bool ok) override {
    if (!ok || finished_) {
      delete this;
    } else if (next_seq_ == 0) {
      new AskCall(worker_);
      events_ = static_cast<int32_t>(Directive(request_.input(), "events", 100));
      WriteStarted();
    } else if (next_seq_ <= events_) {
      WriteDelta();
    } else {
      WriteCompleted();
    }
  }

 private:
  void WriteStarted() {
    event_.set_type("run.start");
    event_.set_seq(next_seq_++);
    event_.mutable_started()->set_id(absl::StrCat(MonotonicNanos()));
    // Without the buffer hint: with it, a first write never completes.
    responder_.Write(response_, this);
  }

  void WriteDelta() {
    event_.set_type("run.output_text.delta");
    event_.set_seq(next_seq_++);
    event_.set_delta(absl::StrCat(MonotonicNanos(), " due on Friday, says Ada"));
    // Another message always follows.
    responder_.Write(response_, grpc::WriteOptions().set_buffer_hint(), this);
  }

  void WriteCompleted() {
    event_.set_type("run.done");
    event_.set_seq(next_seq_);
    v1::RunCompleted* completed = event_.mutable_completed();
    completed->set_text(Words(std::min(kBytesPerDelta * events_, kMaxTextBytes)));
    completed->mutable_usage()->set_input_tokens(1200);
    completed->mutable_usage()->set_output_tokens(events_);
    completed->mutable_usage()->set_total_tokens(1200 + events_);
    finished_ = true;
    responder_.WriteAndFinish(response_, {}, grpc::Status::OK, this);
  }

  Worker& worker_;
  grpc::ServerContext context_;
  v1::AskRequest request_;
  grpc::ServerAsyncWriter<v1::AskResponse> responder_{&context_};
  v1::AskResponse response_;
  v1::RunEvent& event_ = *response_.mutable_event();
  int32_t events_ = 0;
  int32_t next_seq_ = 0;
  bool finished_ = false;
};

void AcceptCalls(Worker& worker) {
  for (int i = 0; i < kAcceptedAhead; ++i) {
    new SearchCall(worker);
    new AskCall(worker);
  }
}

void Run(Worker& worker) {
  void* tag;
  bool ok;
  while (worker.queue->Next(&tag, &ok)) static_cast<Call*>(tag)->OnCompleted(ok);
}

// How many cores the process may run on.
int Cores() {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

// Writes another file and renames it, so that nobody reads a half-written one.
bool WritePortFile(const std::string& path, int port) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary);
  file << port << "\n";
  file.close();
  return file && std::rename(temporary.c_str(), path.c_str()) == 0;
}

// Serves until SIGTERM or SIGINT.
int Serve() {
  // Before any other thread starts, so that none of them gets the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  grpc_init();  // never shut down: that may wait for one of gRPC's pollers, for seconds

  v1::RecallService::AsyncService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(absl::GetFlag(FLAGS_listen), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::vector<Worker> workers;
  for (int i = 0; i < Cores(); ++i) workers.push_back({service, builder.AddCompletionQueue()});
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "bench_echo: cannot listen on %s\n", absl::GetFlag(FLAGS_listen).c_str());
    return EXIT_FAILURE;
  }
  for (Worker& worker : workers) AcceptCalls(worker);
  std::vector<std::thread> threads;
  for (Worker& worker : workers) threads.emplace_back([&worker] { Run(worker); });

  const std::string port_file = absl::GetFlag(FLAGS_port_file);
  const bool announced = port_file.empty() || WritePortFile(port_file, port);
  if (announced) {
    int signal;
    sigwait(&signals, &signal);
  } else {
    std::fprintf(stderr, "bench_echo: cannot write %s\n", port_file.c_str());
  }

  // Gives running calls time to end, but not forever. No call is left when Shutdown returns. Only then may the queues
  // be shut down, since a call that is handed over requests another.
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  for (Worker& worker : workers) worker.queue->Shutdown();
  for (std::thread& thread : threads) thread.join();
  return announced ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace igpt::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return igpt::bench::Serve();
}
