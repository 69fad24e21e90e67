// Two attackers without a token, at an igptd directly: from an address of their own, as a pod's is in a cluster.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace igpt::soak {

// Each makes every kind of attack, one after another for a few seconds, and comes back as soon as igptd ends its
// connection. What it does to igptd and to other callers shows in what they record.
class Attackers {
 public:
  // `addresses`: of the igptds. Begins at once.
  explicit Attackers(std::vector<std::string> addresses);
  // Ends the attacks, and waits for their ends.
  ~Attackers();

  int connections() const { return connections_; }

 private:
  void Attack(size_t attacker);

  const std::vector<std::string> addresses_;
  std::atomic<bool> over_ = false;
  std::atomic<int> connections_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace igpt::soak
