// What a text is about, as words that can be compared.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace igptd::sandbox {

// The words of `text` that carry meaning: in lower case, without endings ("invoices" and "invoice" are one word) and
// with a few synonyms made one ("approved" and "decided"). Words that every question holds are left out.
std::set<std::string> Words(std::string_view text);

}  // namespace igptd::sandbox
