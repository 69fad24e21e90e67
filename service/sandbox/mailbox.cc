#include "service/sandbox/mailbox.h"

namespace igptd::sandbox {
namespace {

constexpr std::string_view kMaya = "Maya Lindqvist <maya@example.com>";   // product; the mailbox is hers
constexpr std::string_view kElena = "Elena Petrova <elena@example.com>";  // leads the team
constexpr std::string_view kEmma = "Emma Clarke <emma@example.com>";      // finance
constexpr std::string_view kTom = "Tom Okafor <tom@example.com>";         // engineering
constexpr std::string_view kJonas = "Jonas Weber <jonas@example.com>";    // people
constexpr std::string_view kAiko = "Aiko Tanaka <aiko@example.com>";      // marketing
constexpr std::string_view kSam = "Sam Rivera <sam@example.com>";         // operations
constexpr std::string_view kPriya = "Priya Raman <priya@example.org>";    // the hosting provider's account manager
constexpr std::string_view kNadia = "Nadia Haddad <nadia@example.net>";   // a candidate
constexpr std::string_view kLuis = "Luis Ortega <luis@example.org>";      // the travel agent
constexpr std::string_view kBilling = "Billing <billing@example.org>";    // the hosting provider's invoices

std::vector<Message> Write() {
  // A field a line would fill pages.
  // clang-format off
  return {
      {"m01", "t-budget-q2", "2026-02-17T09:12:00Z", kEmma, {kElena, kMaya, kTom},
       "Budget allocation for the second quarter",
       "Attached is a first budget allocation for April to June. Engineering asks for 96,000 euros and marketing for "
       "31,000. The hosting line grows by 12 percent because of the new region. Please send me corrections by Friday.",
       {"budget-q2-draft.xlsx"}},
      {"m02", "t-budget-q2", "2026-02-18T15:40:00Z", kTom, {kEmma, kElena, kMaya},
       "Re: Budget allocation for the second quarter",
       "The engineering number is fine with me. We can delay the second test cluster to July, which saves about 4,500 "
       "euros. I would rather keep the money for the load tests before the launch.", {}},
      {"m03", "t-hire-backend", "2026-02-24T10:05:00Z", kJonas, {kMaya, kTom},
       "Hiring plan: backend engineer",
       "The posting for the backend engineer goes live on Monday. We agreed on two interviews and one practical "
       "exercise of at most three hours. Tom, could you review the exercise by Thursday?", {"backend-engineer.pdf"}},
      {"m04", "t-budget-q2", "2026-03-03T11:30:00Z", kElena, {kEmma, kMaya, kTom, kAiko},
       "Decision: second-quarter budget",
       "We approved the second-quarter budget at 188,000 euros. The second test cluster waits until July. Marketing "
       "gets 31,000 as asked.", {}},
      {"m05", "t-contract-hosting", "2026-03-09T08:50:00Z", kPriya, {kSam, kMaya},
       "Your hosting contract ends on 30 June",
       "Your current hosting contract ends on 30 June 2026. We can offer a renewal for one year with a 6 percent "
       "discount, or for two years with 11 percent. The notice period is 60 days, so an answer by the end of April "
       "keeps every option open.", {"renewal-offer.pdf"}},
      {"m06", "t-offsite", "2026-03-12T13:20:00Z", kElena, {kMaya, kTom, kAiko, kJonas, kEmma, kSam},
       "Team days in Lisbon, 18 to 20 May",
       "Our team days will be in Lisbon from 18 to 20 May. Sam books the rooms and Luis takes care of the flights. "
       "Please tell Luis your departure city this week.", {}},
      {"m07", "t-offsite", "2026-03-16T09:02:00Z", kLuis, {kMaya, kSam},
       "Travel to Lisbon: your flight options",
       "I found two flights to Lisbon on 17 May: one at 07:40 with a stop in Madrid for 168 euros, and a direct one at "
       "12:15 for 231 euros. Both fares hold until Thursday. The hotel is a ten minute walk from the venue.",
       {"lisbon-flights.pdf"}},
      {"m08", "t-offsite", "2026-03-16T16:45:00Z", kMaya, {kLuis},
       "Re: Travel to Lisbon: your flight options",
       "The direct flight at 12:15, please. An aisle seat would be good. I fly home on 20 May after 18:00.", {}},
      {"m09", "t-hire-backend", "2026-03-23T14:10:00Z", kNadia, {kJonas},
       "Application: backend engineer",
       "I would like to apply as your backend engineer. I have worked on message queues and storage for seven years, "
       "most recently as the lead of a team of four. I could start on 1 July.", {"nadia-haddad-cv.pdf"}},
      {"m10", "t-board-march", "2026-03-26T17:00:00Z", kElena, {kMaya, kEmma, kTom},
       "Board meeting notes, 26 March",
       "The board meeting went well. The board supports the launch in September and asked for a monthly report on "
       "customer churn. Emma will prepare a cash forecast for the next twelve months by 15 April. Maya will present "
       "the launch plan at the June meeting.", {"board-deck-march.pdf", "board-notes-march.docx"}},
      {"m11", "t-invoice-hosting", "2026-04-02T06:00:00Z", kBilling, {kEmma, kSam},
       "Invoice 2026-0411 for March",
       "Invoice 2026-0411 over 5,840 euros for hosting in March is attached. It is due on 2 May 2026. Please give the "
       "invoice number with your payment.", {"invoice-2026-0411.pdf"}},
      {"m12", "t-incident-april", "2026-04-08T03:25:00Z", kSam, {kTom, kMaya},
       "Incident: mail sync stopped at 02:50",
       "Mail sync stopped for all customers at 02:50. A full disk on the queue server held back every job. I freed "
       "space at 03:10 and the backlog is shrinking. No mail was lost.", {}},
      {"m13", "t-incident-april", "2026-04-09T12:00:00Z", kTom, {kSam, kMaya, kElena},
       "Post-mortem of the mail sync incident",
       "The incident lasted 43 minutes and delayed about 61,000 messages. The root cause was a log file that nobody "
       "rotated. We decided on three actions: Sam adds a disk alert at 80 percent by 17 April, Tom moves the logs off "
       "the queue server by 30 April, and we rehearse a full disk once a quarter.", {"post-mortem-april.pdf"}},
      {"m14", "t-hire-backend", "2026-04-14T09:35:00Z", kTom, {kJonas, kMaya},
       "Interview feedback: Nadia Haddad",
       "Nadia was the strongest of the five candidates. Her exercise was clear, well tested and finished in two hours. "
       "My recommendation is to hire her. Her only question was about working from home three days a week.", {}},
      {"m15", "t-cash-forecast", "2026-04-15T16:20:00Z", kEmma, {kElena, kMaya},
       "Cash forecast for twelve months",
       "Here is the cash forecast that the board asked for. With the launch in September we stay above 600,000 euros "
       "at every month's end. Without it, the lowest point is 480,000 in March 2027.", {"cash-forecast.xlsx"}},
      {"m16", "t-contract-hosting", "2026-04-21T10:15:00Z", kSam, {kMaya, kEmma, kTom},
       "Hosting contract: one year or two?",
       "Priya's offer is 11 percent for two years and 6 percent for one. Two years save about 7,300 euros, but they "
       "tie "
       "us to one region. Tom prefers one year because of the launch. Any objections before I answer Priya?", {}},
      {"m17", "t-hire-backend", "2026-04-22T08:30:00Z", kJonas, {kNadia, kMaya},
       "Our offer",
       "We would be glad to have you on the team as a backend engineer from 1 July. The offer is attached; it includes "
       "three days a week from home. Please let me know by 30 April.", {"offer-nadia-haddad.pdf"}},
      {"m18", "t-hire-backend", "2026-04-27T18:05:00Z", kNadia, {kJonas, kMaya},
       "Re: Our offer",
       "I accept with pleasure. The signed contract is attached. See you on 1 July!", {"offer-signed.pdf"}},
      {"m19", "t-contract-hosting", "2026-04-28T11:00:00Z", kSam, {kPriya, kMaya, kEmma},
       "Renewal of our hosting contract",
       "We decided to renew the hosting contract for one year with the 6 percent discount. Please send the papers to "
       "Emma. We would also like to talk about a second region in the autumn.", {}},
      {"m20", "t-launch", "2026-05-06T09:00:00Z", kMaya, {kTom, kAiko, kElena},
       "Launch plan, first version",
       "The launch date is Tuesday, 15 September 2026. The beta starts on 3 August with forty customers. Aiko owns the "
       "announcement, Tom the load tests, and I own pricing. Please add your milestones by 15 May.",
       {"launch-plan-v1.docx"}},
      {"m21", "t-launch", "2026-05-08T14:25:00Z", kAiko, {kMaya, kTom, kElena},
       "Re: Launch plan, first version",
       "The announcement needs final screenshots by 21 August. I plan a blog post, a webinar on 17 September and a "
       "letter to all customers. The webinar costs about 2,400 euros.", {}},
      {"m22", "t-invoice-hosting", "2026-05-11T07:45:00Z", kEmma, {kSam, kMaya},
       "Invoice 2026-0411 is paid",
       "I paid invoice 2026-0411 today, nine days late. Sam, please forward invoices on the day they come in.", {}},
      {"m23", "t-offsite", "2026-05-21T10:40:00Z", kElena, {kMaya, kTom, kAiko, kJonas, kEmma, kSam},
       "What we took home from Lisbon",
       "Thank you for three good days in Lisbon. We agreed to keep Wednesdays free of meetings from June on. Jonas "
       "collects the photos.", {"lisbon-notes.pdf"}},
      {"m24", "t-budget-h2", "2026-06-08T13:15:00Z", kEmma, {kElena, kMaya, kTom, kAiko},
       "Proposal: second-half budget",
       "My proposal for the second-half budget is 430,000 euros in total. Hiring is the largest part with 195,000 for "
       "three engineers. Marketing asked for 82,000 because of the launch. I suggest we decide on Thursday.",
       {"budget-h2-proposal.xlsx"}},
      {"m25", "t-budget-h2", "2026-06-09T09:50:00Z", kAiko, {kEmma, kElena, kMaya},
       "Re: Proposal: second-half budget",
       "I can live with 64,000 euros for marketing until the launch numbers are in. The webinar and the letter are "
       "covered by that. If the launch goes well I will ask again in October.", {}},
      {"m26", "t-budget-h2", "2026-06-11T16:05:00Z", kElena, {kEmma, kMaya, kTom, kAiko, kJonas},
       "Decision: second-half budget",
       "We decided to approve the second-half budget at 412,000 euros, 18,000 less than proposed. Hiring gets 195,000 "
       "for three engineers, marketing stays at 64,000 until the launch numbers are in, and hosting is capped at "
       "38,000. The second test cluster is in. Emma will send the final budget allocation by 19 June.",
       {"budget-h2-approved.xlsx"}},
      {"m27", "t-board-june", "2026-06-18T17:30:00Z", kElena, {kMaya, kEmma, kTom},
       "Board meeting notes, 18 June",
       "The board confirmed the budget for the second half and the launch on 15 September. Maya's launch plan was "
       "approved without changes. The board wants to see churn below 3 percent before we open a second region. The "
       "next board meeting is on 8 October.", {"board-notes-june.docx"}},
      {"m28", "t-budget-h2", "2026-06-19T08:20:00Z", kEmma, {kElena, kMaya, kTom, kAiko, kJonas},
       "Final budget allocation for July to December",
       "The final budget allocation is attached: 195,000 euros for hiring, 115,000 for engineering, 64,000 for "
       "marketing and 38,000 for hosting. Purchases over 2,000 euros need my approval from 1 July.",
       {"budget-h2-final.xlsx"}},
      {"m29", "t-welcome", "2026-07-01T07:30:00Z", kJonas, {kMaya, kTom, kAiko, kElena, kEmma, kSam},
       "Please welcome our new hire, Nadia",
       "Nadia Haddad, whom we hired as a backend engineer, starts today in Tom's team. She sits next to Sam. Lunch with "
       "everybody is at 12:30.", {}},
      {"m30", "t-churn", "2026-07-07T15:10:00Z", kMaya, {kElena, kEmma},
       "Customer churn in June",
       "Churn was 3.4 percent in June, down from 4.1 in May. Half of the customers who left named missing calendar "
       "support. Calendar support is part of the launch in September.", {"churn-june.pdf"}},
      {"m31", "t-launch", "2026-07-21T12:40:00Z", kTom, {kMaya, kAiko, kSam},
       "Load tests before the launch",
       "The load tests passed at 1,200 requests a second, three times what we expect at launch. Search was slow above "
       "900, so Nadia adds an index by 31 July. The second test cluster made the difference.",
       {"load-test-report.html"}},
      {"m32", "t-launch", "2026-08-04T09:15:00Z", kMaya, {kTom, kAiko, kElena},
       "The beta is open",
       "The beta is open for forty customers since yesterday. Eleven of them sent feedback on the first day, and ten "
       "liked the calendar. Two asked for a darker theme. I answer all of them by Friday.", {}},
      {"m33", "t-invoice-audit", "2026-08-13T10:00:00Z", kEmma, {kMaya, kElena},
       "Invoices of the first half-year",
       "I checked all 64 invoices of the first half-year. Two were paid twice, together 1,310 euros, and both amounts "
       "are on their way back. From September every invoice needs an order number.", {"invoice-check.xlsx"}},
      {"m34", "t-pricing", "2026-08-19T14:30:00Z", kMaya, {kElena, kEmma, kAiko},
       "Decision: launch pricing",
       "We decided on 12 euros per seat and month for the launch, and 9 euros for customers of the beta until the end "
       "of 2026. The free plan keeps two seats. Aiko updates the pricing page by 7 September.", {"pricing.xlsx"}},
      {"m35", "t-hire-support", "2026-08-27T11:55:00Z", kJonas, {kMaya, kElena},
       "Hiring: customer support",
       "For the support position we have 38 applications and six first interviews next week. I suggest we decide by "
       "25 September so that somebody can start in November.", {}},
      {"m36", "t-incident-september", "2026-09-10T19:45:00Z", kSam, {kTom, kMaya, kElena},
       "Incident: sign-in was slow for 20 minutes",
       "Sign-in took up to nine seconds between 19:05 and 19:25. The cause was an expired certificate on one of two "
       "sign-in servers. Nadia replaced it. Certificate dates are in the weekly check from now on.", {}},
      {"m37", "t-launch", "2026-09-15T08:05:00Z", kAiko, {kMaya, kTom, kElena, kJonas, kEmma, kSam},
       "We are live!",
       "The launch is out: the blog post went up at 08:00 and the letter is on its way to 3,900 customers. The webinar "
       "on Thursday has 214 registrations. Thank you, everybody.", {"announcement.png"}},
      {"m38", "t-launch", "2026-09-22T13:00:00Z", kMaya, {kElena, kEmma, kAiko, kTom},
       "Launch numbers after one week",
       "One week after the launch we have 162 new customers, 40 more than planned. 71 percent of them use the "
       "calendar. "
       "Support answers took six hours on average, which is too long. Jonas speeds up the support hiring.",
       {"launch-week-1.pdf"}},
      {"m39", "t-travel-november", "2026-09-29T09:25:00Z", kLuis, {kMaya, kAiko},
       "Travel to the conference in Copenhagen",
       "For the conference on 11 and 12 November I hold two train tickets to Copenhagen at 94 euros each and two rooms "
       "near the harbour. The rooms can be cancelled until 1 November. Shall I book?", {}},
      {"m40", "t-budget-2027", "2026-10-06T10:30:00Z", kEmma, {kElena, kMaya, kTom, kAiko},
       "First numbers for 2027",
       "The first numbers for 2027 are attached: 905,000 euros, with a second region and two more engineers. Nothing "
       "is final before the board has seen it. Please send me your wishes for the budget by 23 October.",
       {"budget-2027-first-numbers.xlsx"}},
      {"m41", "t-board-october", "2026-10-08T17:10:00Z", kElena, {kMaya, kEmma, kTom},
       "Board meeting notes, 8 October",
       "The board congratulated the team on the launch. Churn is at 2.8 percent, so the board approved work on a "
       "second region. Sam will ask Priya for an offer by 30 October, and Emma will bring the plan for 2027 to the December "
       "meeting.", {"board-notes-october.docx"}},
  };
  // clang-format on
}

}  // namespace

std::span<const Message> Mailbox() {
  static const auto& mailbox = *new std::vector<Message>(Write());
  return mailbox;
}

std::string_view NameOf(std::string_view person) {
  return person.substr(0, person.find(" <"));
}

std::string_view AddressOf(std::string_view person) {
  const size_t start = person.find('<') + 1;
  return person.substr(start, person.find('>') - start);
}

}  // namespace igptd::sandbox
