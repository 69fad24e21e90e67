#include "service/sandbox/accounts.h"

#include <algorithm>
#include <random>

#include "service/sandbox/answer.h"
#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr size_t kMaxOffers = 1000;

std::string RandomToken() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 16; ++i) token += Hex(static_cast<unsigned char>(random()));
  return token;
}

}  // namespace

Accounts::Accounts() {
  Connect({std::string(kDemoUser), "spike", {"messages"}, "", ""});
  users_.find(kDemoUser)->second.datasources.front().listed = true;
}

std::string Accounts::Offer(Grant grant) {
  std::string token = RandomToken();
  const std::lock_guard lock(mutex_);
  offers_.emplace_back(token, std::move(grant));
  if (offers_.size() > kMaxOffers) offers_.pop_front();
  return token;
}

std::optional<Grant> Accounts::Redeem(std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto offer =
      std::find_if(offers_.begin(), offers_.end(), [&](const auto& candidate) { return candidate.first == token; });
  if (offer == offers_.end()) return std::nullopt;
  Grant grant = std::move(offer->second);
  offers_.erase(offer);
  Connect(grant);
  return grant;
}

void Accounts::Connect(const Grant& grant) {
  User& user = users_[grant.user];
  if (user.account.empty()) user.account = Cat("mailbox-", users_.size());
  for (const std::string& scope : grant.scopes) {
    std::string id = Cat(grant.service, "/", user.account, "/", scope);
    std::erase_if(user.datasources, [&](const Datasource& datasource) { return datasource.id == id; });
    user.datasources.push_back({.id = std::move(id), .service = grant.service, .scope = scope});
  }
}

Json Accounts::List(std::string_view user) {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end()) return Json::array();
  Json datasources = ToJson(found->second);
  for (Datasource& datasource : found->second.datasources) datasource.listed = true;
  return datasources;
}

Json Accounts::Peek(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  return found == users_.end() ? Json::array() : ToJson(found->second);
}

bool Accounts::Disconnect(std::string_view user, std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  return found != users_.end() && std::erase_if(found->second.datasources,
                                                [&](const Datasource& datasource) { return datasource.id == id; }) > 0;
}

Account Accounts::Find(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.datasources.empty()) return {};
  return {.name = found->second.account, .mailbox = Mailbox()};
}

Json Accounts::ToJson(const User& user) {
  Json datasources = Json::array();
  for (const Datasource& datasource : user.datasources) {
    datasources.push_back({{"id", datasource.id},
                           {"service", datasource.service},
                           {"type", Cat(datasource.service, "/", datasource.scope)},
                           {"status", datasource.listed ? "enabled" : "indexing"},
                           {"title", "Sandbox mailbox"},
                           {"subtitle", kMailboxOwner},
                           {"progress", datasource.listed ? 100 : 40},
                           {"newest", TimeOf(Mailbox().back())},
                           {"oldest", TimeOf(Mailbox().front())}});
  }
  return datasources;
}

}  // namespace igptd::sandbox
