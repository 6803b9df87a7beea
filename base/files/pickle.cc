#include "base/files/pickle.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "base/error.h"

namespace auxbench {
namespace {

// The machine of the format: a stack, marks on it, a memo.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& place) : bytes_(bytes), place_(place) {}

  Pickle run() {
    while (step(take(1)[0])) {
    }
    if (stack_.size() != 1 || !marks_.empty()) refuse("leaves more than one value");
    pickle_.root = stack_.back();
    pickle_.bytes = at_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    refuse_data(place_, "pickle, byte " + std::to_string(at_) + ": " + what);
  }

  std::string_view take(size_t count) {
    if (count > bytes_.size() - at_) refuse("truncated");
    const auto taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("truncated");
    const auto taken = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return taken;
  }
  // Little-endian, unsigned.
  uint64_t number(size_t width) {
    uint64_t value = 0;
    const auto taken = take(width);
    for (size_t i = width; i > 0; --i) value = value << 8U | static_cast<unsigned char>(taken[i - 1]);
    return value;
  }
  int64_t whole(std::string_view text) {
    int64_t value = 0;
    if (!text.empty() && text.back() == 'L') text.remove_suffix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) refuse("not a whole number of 64 bits");
    return value;
  }
  // Two's complement of any width; beyond 64 bits only PyTorch's magic number is known to occur.
  PickleValue long_number(size_t width) {
    if (width <= sizeof(uint64_t)) {
      uint64_t value = number(width);
      const bool negative = width > 0 && width < sizeof(uint64_t) && (value >> (8 * width - 1) & 1U) != 0;
      if (negative) value |= ~uint64_t{0} << (8 * width);
      return {static_cast<int64_t>(value)};
    }
    return {std::string(take(width))};
  }

  template <typename T>
  void push(T value) {
    pickle_.values.push_back({std::move(value)});
    stack_.push_back(&pickle_.values.back());
  }
  PickleValue* pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() == marks_.back())) refuse("takes from an empty stack");
    auto* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue* top() {
    auto* value = pop();
    stack_.push_back(value);
    return value;
  }
  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) refuse("has no mark");
    std::vector<PickleRef> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  std::vector<PickleRef> pop_some(size_t count) {
    std::vector<PickleRef> items(count);
    for (size_t i = count; i > 0; --i) items[i - 1] = pop();
    return items;
  }

  void remember(uint64_t key) { memo_[key] = top(); }
  void recall(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse("recalls what was never remembered");
    stack_.push_back(found->second);
  }

  void append(const std::vector<PickleRef>& items) {
    auto* list = std::get_if<PickleList>(&top()->value);
    if (list == nullptr) refuse("appends to what is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<PickleRef>& items) {
    if (items.size() % 2 != 0) refuse("a key without a value");
    auto* target = top();
    auto* call = std::get_if<PickleCall>(&target->value);
    auto* dict = call != nullptr ? &call->items : std::get_if<PickleDict>(&target->value);
    if (dict == nullptr) refuse("sets items of what is no dictionary");
    for (size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  }
  void build_dict(const std::vector<PickleRef>& items) {
    push(PickleDict{});
    set_items(items);
  }
  void name_from_stack() {
    const auto* name = pop()->as<std::string>();
    const auto* module = pop()->as<std::string>();
    if (name == nullptr || module == nullptr) refuse("a name that is no text");
    push(PickleName{*module + "." + *name});
  }
  void build() {
    pop();
    if (top()->as<PickleCall>() == nullptr) refuse("gives state to what is no call");
  }

  bool step(char opcode);
  bool step_number(char opcode);
  bool step_text(char opcode);
  bool step_container(char opcode);
  bool step_memo(char opcode);
  bool step_name(char opcode);

  std::string_view bytes_;
  const std::string& place_;
  size_t at_ = 0;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleValue*> memo_;
};

bool Machine::step_number(char opcode) {
  switch (opcode) {
    case 'N':
      push(std::monostate());
      return true;
    case '\x88':
      push(true);
      return true;
    case '\x89':
      push(false);
      return true;
    case 'I': {
      const auto text = line();
      if (text == "00" || text == "01")
        push(text == "01");
      else
        push(whole(text));
      return true;
    }
    case 'J':
      push(static_cast<int64_t>(static_cast<int32_t>(number(4))));
      return true;
    case 'K':
      push(static_cast<int64_t>(number(1)));
      return true;
    case 'M':
      push(static_cast<int64_t>(number(2)));
      return true;
    case 'L':
      push(whole(line()));
      return true;
    case '\x8a':
      push(long_number(number(1)).value);
      return true;
    case '\x8b':
      push(long_number(number(4)).value);
      return true;
    case 'G': {
      uint64_t bits = 0;
      for (const char byte : take(8)) bits = bits << 8U | static_cast<unsigned char>(byte);
      push(std::bit_cast<double>(bits));
      return true;
    }
    default:
      return false;
  }
}

bool Machine::step_text(char opcode) {
  switch (opcode) {
    case 'X':
    case 'B':
    case 'T':
      push(std::string(take(number(4))));
      return true;
    case '\x8c':
    case 'C':
    case 'U':
      push(std::string(take(number(1))));
      return true;
    case '\x8d':
    case '\x8e':
      push(std::string(take(number(8))));
      return true;
    case 'V':
      push(std::string(line()));
      return true;
    default:
      return false;
  }
}

bool Machine::step_container(char opcode) {
  switch (opcode) {
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push(PickleTuple{});
      return true;
    case 't':
      push(PickleTuple{pop_to_mark()});
      return true;
    case '\x85':
    case '\x86':
    case '\x87':
      push(PickleTuple{pop_some(static_cast<size_t>(static_cast<unsigned char>(opcode)) - 0x84)});
      return true;
    case ']':
      push(PickleList{});
      return true;
    case 'l':
      push(PickleList{pop_to_mark()});
      return true;
    case 'a':
      append(pop_some(1));
      return true;
    case 'e':
      append(pop_to_mark());
      return true;
    case '}':
      push(PickleDict{});
      return true;
    case 'd':
      build_dict(pop_to_mark());
      return true;
    case 's':
      set_items(pop_some(2));
      return true;
    case 'u':
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Machine::step_memo(char opcode) {
  switch (opcode) {
    case 'q':
      remember(number(1));
      return true;
    case 'r':
      remember(number(4));
      return true;
    case 'p':
      remember(static_cast<uint64_t>(whole(line())));
      return true;
    case '\x94':
      remember(memo_.size());
      return true;
    case 'h':
      recall(number(1));
      return true;
    case 'j':
      recall(number(4));
      return true;
    case 'g':
      recall(static_cast<uint64_t>(whole(line())));
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '2':
      stack_.push_back(top());
      return true;
    default:
      return false;
  }
}

bool Machine::step_name(char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string module(line()), name(line());
      push(PickleName{module + "." + name});
      return true;
    }
    case '\x93':
      name_from_stack();
      return true;
    case 'R':
    case '\x81': {  // a call, or a new object of a class: the same here, where neither is run
      const auto* arguments = pop();
      const auto* callee = pop();
      push(PickleCall{.callee = callee, .arguments = arguments});
      return true;
    }
    case 'b':
      build();
      return true;
    case 'Q':
      push(PicklePersistent{pop()});
      return true;
    default:
      return false;
  }
}

// False at the end mark.
bool Machine::step(char opcode) {
  switch (opcode) {
    case '.':
      return false;
    case '\x80':
      if (number(1) > 5) refuse("a protocol later than 5");
      return true;
    case '\x95':  // a frame's length: of no use to a reader in memory
      take(8);
      return true;
    default:
      break;
  }
  if (step_number(opcode) || step_text(opcode) || step_container(opcode) || step_memo(opcode) || step_name(opcode))
    return true;
  refuse("opcode " + std::to_string(static_cast<unsigned char>(opcode)) + " is not one that files of weights need");
}

}  // namespace

Pickle read_pickle(std::string_view bytes, const std::string& place) { return Machine(bytes, place).run(); }

}  // namespace auxbench
