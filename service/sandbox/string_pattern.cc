#include "service/sandbox/string_pattern.h"

#include <algorithm>
#include <climits>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr size_t kMaxText = 4096;
constexpr int kMaxNesting = 32;

class Example {
 public:
  Example(std::string_view pattern, int repeats) : rest_(pattern), repeats_(repeats) {}

  // Alternatives up to ")" or the end; the text of the first.
  std::string Alternatives(int nesting) {
    std::string first = Sequence(nesting);
    while (Consume(rest_, "|")) Sequence(nesting);
    return first;
  }

 private:
  std::string Sequence(int nesting) {
    std::string text;
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      const std::string atom = Atom(nesting);
      const int count = Repetitions();
      for (int i = 0; i < count && !atom.empty() && text.size() < kMaxText; ++i) text += atom;
    }
    return text;
  }

  std::string Atom(int nesting) {
    std::string character = Next();
    if (character == "^" || character == "$") return "";
    if (character == ".") return "a";
    if (character == "\\") return Escape();
    if (character == "[") return Class();
    if (character == "(") return Group(nesting);
    return character;
  }

  std::string Group(int nesting) {
    bool look_around = false;
    if (Consume(rest_, "?")) {
      look_around = Consume(rest_, "=") || Consume(rest_, "!") || Consume(rest_, "<=") || Consume(rest_, "<!");
      // Else it doesn't capture, or has a name.
      if (!look_around && !Consume(rest_, ":")) rest_.remove_prefix(std::min(rest_.find('>') + 1, rest_.size()));
    }
    if (nesting == kMaxNesting) rest_ = "";
    const std::string text = Alternatives(nesting + 1);
    Consume(rest_, ")");
    return look_around ? "" : text;
  }

  std::string Escape() {
    std::string character = Next();
    if (character == "d") return "1";
    if (character == "w" || character == "D" || character == "S") return "a";
    if (character == "s") return " ";
    if (character == "W") return "-";
    if (character == "b" || character == "B") return "";
    if (character == "n") return "\n";
    if (character == "t") return "\t";
    return character;
  }

  // The first member; of a negated class, something that isn't written in it.
  std::string Class() {
    const bool negated = Consume(rest_, "^");
    std::string first;
    std::string written;
    while (!rest_.empty() && rest_[0] != ']') {
      const std::string character = Next();
      const std::string member = character == "\\" ? Escape() : character;
      if (first.empty()) first = member;
      written += member;
    }
    Consume(rest_, "]");
    constexpr std::string_view kOthers = "a1A-_ .,:/@#";
    const size_t other = kOthers.find_first_not_of(written);
    return negated && other != kOthers.npos ? std::string(1, kOthers[other]) : first;
  }

  int Repetitions() {
    int least = 1;
    int most = 1;
    const size_t end = rest_.find('}');
    if (Consume(rest_, "*")) {
      least = 0;
      most = INT_MAX;
    } else if (Consume(rest_, "+")) {
      most = INT_MAX;
    } else if (Consume(rest_, "?")) {
      least = 0;
    } else if (rest_.starts_with("{") && end != rest_.npos) {
      const std::string_view bounds = rest_.substr(1, end - 1);
      const size_t comma = std::min(bounds.find(','), bounds.size());
      if (!ParseNumber(bounds.substr(0, comma), least) || least < 0) return 1;
      most = least;
      if (comma < bounds.size() && !ParseNumber(bounds.substr(comma + 1), most)) most = INT_MAX;
      rest_.remove_prefix(end + 1);
    } else {
      return 1;
    }
    Consume(rest_, "?");  // as few as possible: no matter here
    return std::clamp(repeats_, least, std::max(least, most));
  }

  // The next character with all its bytes.
  std::string Next() {
    size_t size = std::min<size_t>(1, rest_.size());
    while (size < rest_.size() && IsContinuation(rest_[size])) ++size;
    const std::string_view character = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return std::string(character);
  }

  std::string_view rest_;
  const int repeats_;
};

}  // namespace

std::string ExampleOf(std::string_view pattern, int repeats) {
  return Example(pattern, repeats).Alternatives(0);
}

}  // namespace igptd::sandbox
