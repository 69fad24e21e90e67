// The mail that the sandbox has: what a small team wrote from February to October 2026. Fixed, so that every answer is
// the same tomorrow.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace igptd::sandbox {

struct Message {
  std::string_view id;
  std::string_view thread_id;
  std::string_view date;  // ISO 8601, UTC, to the second
  std::string_view from;  // "Name <address>", as in `to`
  std::vector<std::string_view> to;
  std::string_view subject;
  std::string_view body;
  std::vector<std::string_view> attachments;  // file names
};

// The account that the mailbox belongs to.
inline constexpr std::string_view kMailboxOwner = "maya@example.com";

// Oldest first.
std::span<const Message> Mailbox();

// The parts of "Name <address>".
std::string_view NameOf(std::string_view person);
std::string_view AddressOf(std::string_view person);

}  // namespace igptd::sandbox
