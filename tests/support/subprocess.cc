#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "igpt/testing/internal/await_fd.h"

namespace igpt::testing {
namespace {

constexpr int kCannotStart = 127;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe NewPipe() {
  int fds[2] = {-1, -1};
  if (::pipe2(fds, O_CLOEXEC) < 0) {
    std::perror("pipe2");
    std::abort();
  }
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Readable once the process has ended. glibc 2.36 declares its pidfd_open() for C only.
int OpenPidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// The null-terminated array for C. Points into `strings`.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  Pipe out = NewPipe();
  Pipe err = NewPipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, command[0].c_str(), &actions, nullptr, Pointers(command).data(),
                                  Pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    exit_code_ = kCannotStart;
    stderr_.text = command[0] + ": " + std::strerror(error);
    ended_ = true;
    return;
  }
  pidfd_ = UniqueFd(OpenPidfd(pid_));
  stdout_.pipe = std::move(out.read);
  stderr_.pipe = std::move(err.read);
  reader_ = std::thread([this] { ReadOutputs(); });
}

Subprocess::~Subprocess() {
  Signal(SIGKILL);
  AwaitExit(absl::InfiniteDuration());
}

void Subprocess::Signal(int signal) {
  if (!exit_code_) ::kill(pid_, signal);
}

std::optional<int> Subprocess::AwaitExit(absl::Duration limit) {
  if (exit_code_) return exit_code_;
  if (!AwaitFd(pidfd_.get(), POLLIN, limit)) return std::nullopt;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  reader_.join();
  return exit_code_;
}

std::string Subprocess::Stdout() const {
  const std::lock_guard lock(mutex_);
  return stdout_.text;
}

std::string Subprocess::Stderr() const {
  const std::lock_guard lock(mutex_);
  return stderr_.text;
}

bool Subprocess::AwaitStderr(std::string_view text, absl::Duration limit) const {
  std::unique_lock lock(mutex_);
  const auto written = [&] { return stderr_.text.find(text) != std::string::npos; };
  changed_.wait_for(lock, absl::ToChronoMilliseconds(limit), [&] { return written() || ended_; });
  return written();
}

void Subprocess::ReadOutputs() {
  Output* const outputs[] = {&stdout_, &stderr_};
  // poll() skips the fd of an output that has ended: it is -1.
  pollfd fds[] = {{stdout_.pipe.get(), POLLIN, 0}, {stderr_.pipe.get(), POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds, std::size(fds), -1) < 0) continue;
    for (size_t i = 0; i < std::size(fds); ++i) {
      if (fds[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t size = ::read(fds[i].fd, buffer, sizeof buffer);
      if (size <= 0) {
        fds[i].fd = -1;
        continue;
      }
      {
        const std::lock_guard lock(mutex_);
        outputs[i]->text.append(buffer, static_cast<size_t>(size));
      }
      changed_.notify_all();
      if (const int64_t rate = stderr_rate_; outputs[i] == &stderr_ && rate > 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(1'000'000 * size / rate));
      }
    }
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

}  // namespace igpt::testing
