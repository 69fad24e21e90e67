// What every user has connected. Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/sandbox/json.h"
#include "service/sandbox/mailbox.h"

namespace igptd::sandbox {

// The user who is connected from the start, and whose mailbox is indexed.
inline constexpr std::string_view kDemoUser = "demo";

// What a user is asked to allow.
struct Grant {
  std::string user;
  std::string service;
  std::vector<std::string> scopes;  // each becomes a datasource
  std::string redirect_uri;         // empty: none
  std::string state;                // empty: none
};

// A user's copy of the mailbox.
struct Account {
  std::string name;  // "mailbox-7": part of the ids in this copy
  std::span<const Message> mailbox;
};

class Accounts {
 public:
  Accounts();

  // A token that redeems the grant once: 128 random bits in hex digits. Of grants that nobody redeems, the newest 1000
  // are kept.
  std::string Offer(Grant grant);

  // Connects what the token was given for, and returns it; nullopt when the token is unknown or was used.
  std::optional<Grant> Redeem(std::string_view token);

  // The user's datasources. The first call after connecting shows a datasource "indexing" at 40 percent, every later
  // one "enabled" at 100. Its messages are found from the start.
  Json List(std::string_view user);

  // The same without counting as a call.
  Json Peek(std::string_view user) const;

  // False when the user has no such datasource.
  bool Disconnect(std::string_view user, std::string_view id);

  // An empty mailbox when nothing is connected.
  Account Find(std::string_view user) const;

 private:
  struct Datasource {
    std::string id;  // service/account/scope
    std::string service;
    std::string scope;
    bool listed = false;
  };
  struct User {
    std::string account;
    std::vector<Datasource> datasources;
  };

  static Json ToJson(const User& user);
  // With mutex_ held.
  void Connect(const Grant& grant);

  mutable std::mutex mutex_;                          // guards what follows
  std::deque<std::pair<std::string, Grant>> offers_;  // by token, oldest first
  std::map<std::string, User, std::less<>> users_;    // who ever connected anything
};

}  // namespace igptd::sandbox
