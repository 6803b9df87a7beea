#include "reports/claims_plot.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>

#include "base/files/file.h"
#include "reports/claims_in_words.h"
#include "reports/xml_syntax.h"
#include "results/store.h"
#include "runner/plan/make_plan.h"
#include "tests/reports/example.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using test::example;
using test::made_up;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Marks stand behind the legend.
std::string panel(const std::string& picture) { return picture.substr(picture.find("gain over the baseline")); }

// Every element is closed, attributes stand in quotes, and no text opens an element.
bool well_formed(const std::string& text) {
  std::vector<std::string> open;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < ' ' && byte != '\n') return false;
    if (text[at] == '>') return false;
    if (text[at] != '<') continue;
    const auto end = text.find('>', at);
    if (end == std::string::npos) return false;
    const auto tag = text.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos || std::count(tag.begin(), tag.end(), '"') % 2 != 0) return false;
    const auto name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag.starts_with("/")) {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty();
}

// The example with as many seeds as there are gains.
ReportInput with_gains(const std::vector<double>& gains) {
  auto input = example();
  auto& entries = input.plan.tables[0].rows[0].entries;
  input.records.clear();
  entries[1].cells.clear();
  entries[3].cells.clear();
  input.plan.claims.resize(1);
  for (size_t i = 0; i < gains.size(); ++i) {
    const auto seed = static_cast<int>(i);
    const auto base = "base-" + std::to_string(i), auxi = "auxi-" + std::to_string(i);
    input.records[base] = made_up(base, 70, seed, "base");
    input.records[auxi] = made_up(auxi, 70 + gains[i], seed, "auxi");
    entries[1].cells.push_back(base);
    entries[3].cells.push_back(auxi);
  }
  return input;
}

std::vector<std::string> sentences(const ReportInput& input) {
  return claim_sentences(make_report_model(input.plan, input.records).claims.at(0));
}

}  // namespace

TEST_CASE("claims: the picture of an example is the approved one", "[reports]") {
  const auto golden = std::string(AUXBENCH_SOURCE_ROOT) + "/tests/golden/claims.svg";
  const auto picture = render_claims_plot(example());
  if (std::getenv("AUXBENCH_APPROVE") != nullptr) write_file_atomically(golden, picture);
  CHECK(picture == read_file(golden));
  CHECK(well_formed(picture));
  CHECK(render_claims_plot(example()) == picture);
}

TEST_CASE("claims: each seed is a dot, their mean a mark with its interval, the paper's gain hollow", "[reports]") {
  const auto input = with_gains({1.0, 2.0, 1.5});
  const auto marks = panel(render_claims_plot(input));
  CHECK(count(marks, "class=\"seed positive\"") == 3);
  CHECK(count(marks, "class=\"positive\"/>") == 1);
  CHECK(count(marks, "class=\"bar line-positive\"") == 3);  // the interval and its two caps
  CHECK(count(marks, "class=\"hollow\"") == 1);
  CHECK(count(marks, "class=\"zero\"") == 1);
  CHECK(contains(marks, ">positive</text>"));
  CHECK(contains(marks, ">+1.5, +0.3 .. +2.7, n = 3; paper +2.0</text>"));
  CHECK(contains(marks, ">points of top-1</text>"));
  CHECK(contains(panel(render_claims_plot(with_gains({-1.0, -2.0, -1.5}))), ">negative</text>"));
}

TEST_CASE("claims: one seed has no interval and is called no evidence", "[reports]") {
  const auto marks = panel(render_claims_plot(with_gains({1.0})));
  CHECK(contains(marks, ">one seed: not evidence</text>"));
  CHECK(count(marks, "class=\"bar") == 0);
  CHECK(count(marks, "<circle") == 1);  // the seed, no mean
  CHECK(count(marks, "class=\"seed open\"") == 1);
  CHECK(contains(marks, ">+1.0, n = 1; paper +2.0</text>"));
}

TEST_CASE("claims: without a measured value there is the paper's mark alone, or none", "[reports]") {
  auto input = with_gains({});
  auto marks = panel(render_claims_plot(input));
  CHECK(contains(marks, ">not measured</text>"));
  CHECK(contains(marks, ">paper +2.0</text>"));
  CHECK(count(marks, "<circle") == 0);
  CHECK(count(marks, "class=\"hollow\"") == 1);
  input.plan.tables[0].rows[0].entries[1].reported.clear();
  marks = panel(render_claims_plot(input));
  CHECK(count(marks, "class=\"hollow\"") == 0);
  input.plan.claims[0].table = "of no plan";
  CHECK(contains(panel(render_claims_plot(input)), ">not measured</text>"));
  input.plan.claims.clear();
  CHECK(render_claims_plot(input).empty());
  CHECK_FALSE(contains(render_markdown(input), "claims.svg"));
}

TEST_CASE("claims: a wide interval is cut off with an arrow and keeps the rest readable", "[reports]") {
  const auto marks = panel(render_claims_plot(with_gains({0.0, 4.0})));  // 2 +- 25
  CHECK(count(marks, "<polygon") == 3);                                  // two arrows and the paper's mark
  CHECK(contains(marks, ">+2.0, -23.4 .. +27.4, n = 2; paper +2.0</text>"));
  CHECK_FALSE(contains(marks, ">+20</text>"));
}

TEST_CASE("claims: huge gains stay in the picture", "[reports]") {
  const double most = std::numeric_limits<double>::max();
  for (const double huge : {300.0, 1e6, 1e12, most}) {
    const auto picture = render_claims_plot(with_gains({huge, -huge, 0.5, huge}));
    CHECK(well_formed(picture));
    CHECK_FALSE(contains(picture, "nan"));
    CHECK_FALSE(contains(picture, "inf"));
    for (auto at = picture.find(" cx=\""); at != std::string::npos; at = picture.find(" cx=\"", at + 1)) {
      const double x = std::strtod(picture.c_str() + at + 5, nullptr);
      CHECK((x >= 0 && x <= 1000));
    }
    CHECK(count(picture, "text-anchor=\"middle\"") <= 21);  // ticks above and below, and the unit
  }
}

TEST_CASE("claims: hostile titles stay text", "[reports]") {
  const std::string hostile =
      "</text><script>alert(\"1\")</script> & ]]> \x1b[2J \xff\xc0\xaf \xed\xa0\x80 \xef\xbf\xbf \n";
  auto input = example();
  for (auto* text : {&input.plan.title, &input.plan.tier, &input.plan.proxy_reason}) *text = hostile;
  for (auto& claim : input.plan.claims) claim.text = hostile;
  input.plan.tables[0].metrics[0] = hostile;
  auto picture = render_claims_plot(input);
  const auto style = picture.find("<style>"), end = picture.find("</style>");
  picture.erase(style, end - style);  // a style sheet is no text of anybody's
  picture.erase(picture.find("</style>"), 8);
  CHECK(well_formed(picture));
  CHECK_FALSE(contains(picture, "<script"));
  for (const char byte : {'\x1b', '\xff', '\xc0', '\xed'}) CHECK(picture.find(byte) == std::string::npos);
  CHECK(xml_escaped("a<b>&\"\xc3\xa9\"") == "a&lt;b&gt;&amp;&quot;\xc3\xa9&quot;");
}

TEST_CASE("long labels are broken at spaces and cut off", "[reports]") {
  using Lines = std::vector<std::string>;
  CHECK(wrapped("one two three", 7, 2) == Lines{"one two", "three"});
  CHECK(wrapped("one two three four", 7, 2) == Lines{"one two", "thre..."});
  CHECK(wrapped("abcdefgh", 3, 9) == Lines{"abc", "def", "gh"});
  CHECK(wrapped("\xc3\xa9\xc3\xa9 x", 2, 2) == Lines{"\xc3\xa9\xc3\xa9", "x"});
  CHECK(wrapped("", 7, 2).empty());
}

TEST_CASE("a claim's sentence follows from its numbers", "[reports]") {
  using Lines = std::vector<std::string>;
  CHECK(sentences(with_gains({1.0, 2.0, 1.5})) ==
        Lines{"It helps: yes, by 1.5 points (95 % interval +0.3 .. +2.7, 3 seeds)."});
  CHECK(sentences(with_gains({-1.0, -2.0, -1.5})) ==
        Lines{"It helps: no, it costs 1.5 points (95 % interval -2.7 .. -0.3, 3 seeds)."});
  CHECK(sentences(with_gains({-1.0, 2.0, 0.5})) ==
        Lines{"It helps: undecided, +0.5 points (95 % interval -3.2 .. +4.2, 3 seeds): the interval holds zero."});
  CHECK(sentences(with_gains({2.9})) == Lines{"It helps: one seed (+2.9 points): not evidence."});
  CHECK(sentences(with_gains({})) == Lines{"It helps: not measured."});
}

TEST_CASE("the claims' summary counts verdicts, and says whether larger losses bring larger gains", "[reports]") {
  const auto row = [](double gain, double half_width, int seeds, std::optional<double> gap) {
    ClaimRow one = {.row = "r", .gains = {.count = seeds, .mean = gain, .half_width = half_width}};
    one.verdict = verdict(one.gains);
    one.gap = gap;
    return one;
  };
  std::vector<ClaimModel> claims(1);
  claims[0].rows = {row(4, 1, 3, 20), row(0.2, 1, 3, 2), row(-1, 0.5, 5, 1), row(2, 0.5, 3, 30), row(9, 0, 1, 50)};
  CHECK(
      claims_summary(claims) ==
      "5 claims: 2 confirmed, 1 reversed, 1 undecided, 1 with one seed or none. Of the 4 with three seeds or "
      "more, the 2 whose baseline loses most to full precision (20.0 points or more) gain +3.0 points on average, the "
      "other 2 -0.4.");
  claims[0].rows.pop_back();
  claims[0].rows.pop_back();
  CHECK(claims_summary(claims) == "3 claims: 1 confirmed, 1 reversed, 1 undecided, 0 with one seed or none.");
  CHECK(claims_summary({}).empty());
}

TEST_CASE("a claim knows what its baseline loses to full precision, pair by pair", "[reports]") {
  const auto input = example();
  const auto claim = make_report_model(input.plan, input.records).claims.at(0);
  CHECK(claim.metric == "top1");
  CHECK(claim.rows.at(0).gap == Approx(10.6));  // seed 0 alone has full precision
  CHECK(claim.rows.at(0).each.size() == 2);
  CHECK_FALSE(make_report_model(input.plan, input.records).claims.at(1).rows.at(0).gap.has_value());
}

TEST_CASE("a report is written with the picture that it shows", "[reports]") {
  const test::TempFolder folder;
  const auto page = write_report(example(), folder.path());
  CHECK(read_file(page) == render_markdown(example()));
  CHECK(read_file(folder.path() / "claims.svg") == render_claims_plot(example()));
  CHECK(contains(read_file(page), "](claims.svg)"));
}

TEST_CASE("claims that are held against other columns are not called gains over the baseline", "[reports]") {
  auto input = example();
  REQUIRE_FALSE(input.plan.claims.empty());
  CHECK(contains(render_claims_plot(input), ">gain over the baseline, "));
  input.plan.claims.front().against = "fp";
  CHECK(contains(render_claims_plot(input), ">gain, points"));
}

TEST_CASE("published records give a report at any moment: with none of them, some, or all", "[reports]") {
  const std::filesystem::path root = AUXBENCH_SOURCE_ROOT;
  auto suite = load_suite(root / "suites/paper_tables.json", {.tier = "embedded"});
  auto plan =
      make_plan(suite, {.data = [](const std::string&) { return DataFacts{.implemented = true, .manifest = "d"}; },
                        .weights_digest = [](const std::string& file) { return file; },
                        .device_class = "cpu"});
  // Their ids are of another version of the code: they are found by name.
  std::map<std::string, Record> by_slug;
  for (const auto& [id, record] : read_records(root / "results/published/paper-tables-embedded").by_id)
    by_slug[record.slug] = record;
  ReportInput input = {.plan = plan, .records = {}, .here = "here"};
  size_t step = 0, found = 0;
  std::set<std::string> pages;
  for (const auto& cell : plan.cells) {
    if (step++ % 16 == 0) {
      const auto page = render_markdown(input), picture = render_claims_plot(input);
      pages.insert(page);
      CHECK(well_formed(picture.substr(0, picture.find("<style>")) + picture.substr(picture.find("</style>") + 8)));
      for (const auto& claim : make_report_model(plan, input.records).claims)
        for (const auto& sentence : claim_sentences(claim)) CHECK(contains(page, sentence.substr(0, 20)));
    }
    const auto record = by_slug.find(cell.slug);
    if (record == by_slug.end()) continue;
    input.records[cell.id] = record->second;
    ++found;
  }
  CHECK(found > 20);
  CHECK(pages.size() > 2);
}
