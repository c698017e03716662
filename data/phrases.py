"""Phrase tables of the synthetic support-desk dataset, from which `compose.py` makes rows.

Syntax: `(a|b|c)` is a choice, `{p}` the product, sometimes with a colour before it; other `{...}` are slots of SLOTS.
Words that decide an intent or an urgency are in no other table, so each row has exactly one right answer.
"""

PRODUCTS = (
    "kettle", "toaster", "blender", "mixer", "juicer", "grinder", "fryer", "steamer", "griddle", "oven",
    "microwave", "scale", "whisk", "slicer", "sealer", "roaster", "frother", "dehydrator", "percolator",
    "hotplate",
)  # fmt: skip

COLOURS = ("red", "white", "black", "silver", "blue", "green", "cream", "grey")

# Customer messages that name a product. The product always follows "my", "the", "your" or "this".
BODIES: dict[str, tuple[str, ...]] = {
    "refund": (
        "I (want|would like) my money back for the {p}.",
        "Please (refund|give me a refund for) my {p}.",
        "(Can|Could) I get a refund for the {p} (I sent back|I returned last week|we never used)?",
        "I returned the {p} and (still wait for|have not seen) the refund.",
        "When will (the|my) refund for the {p} (reach|get to) my bank?",
        "The {p} is not for me, so I (ask for|want) a full refund.",
        "You promised to refund the {p} but no money came back.",
        "I am not happy with the {p} and (want|hope to get) my money back.",
        "How do I (send back|return) the {p} and get my money back?",
        "Only half of the refund for my {p} (was paid|has come).",
        "My {p} went back (two weeks|ten days) ago. Where is my refund?",
        "We do not need the {p} any more. Please pay the money back.",
    ),
    "exchange": (
        "(Can|Could) I exchange my {p} for (another|a bigger|a smaller) model?",
        "I (want|would like) to swap the {p} for a {colour} one.",
        "Please exchange the {p}, I picked the wrong (size|colour|model).",
        "Is it possible to swap my {p} for (the larger|the newer|the smaller) version?",
        "I got the {p} in {colour} but would rather exchange it.",
        "The {p} is too (big|small|loud), may I swap it for another one?",
        "How do I exchange this {p} for a different colour?",
        "I would like an exchange of the {p} (please|if you allow it).",
        "My {p} is the wrong size. Please swap it.",
        "We chose the wrong {p} and hope for an exchange.",
        "Do you (offer|allow) an exchange for the {p}? I like the {colour} one more.",
    ),
    "delivery_status": (
        "Where is my {p}? The parcel (has not come|is not here) yet.",
        "When will the {p} be delivered?",
        "The tracking for my {p} has not moved (since {day}|for three days).",
        "My {p} should have arrived (on {day}|last week) but the parcel is late.",
        "(Can|Could) you tell me the delivery date of my {p}?",
        "I am still waiting for the {p} to be delivered.",
        "Has the {p} been shipped? I have no tracking number.",
        "The courier did not bring my {p} (on {day}|this week).",
        "What is the delivery status of the {p}?",
        "The parcel with the {p} seems to be lost on the way.",
        "The tracking page says the {p} was delivered, but no parcel came.",
        "How long does the delivery of my {p} take?",
    ),
    "cancel_order": (
        "Please cancel my order for the {p}.",
        "I (want|need|would like) to cancel the {p} (I ordered|from my order).",
        "(Can|Could) I still cancel the order of the {p}?",
        "I ordered the {p} by mistake, please cancel it.",
        "Cancel the {p} please, I (found one at home|do not want it any more|changed my mind).",
        "How do I cancel my {p} order before it ships?",
        "My {person} already has the {p}, so please cancel the order.",
        "I clicked twice and ordered the {p} two times. Please cancel one.",
        "Is it too late to cancel the order with the {p}?",
        "We have to cancel the {p} order.",
        "Stop the order for the {p}, I wish to cancel.",
    ),
    "change_address": (
        "Please (change|update) the address for my {p}.",
        "I moved house, so send the {p} to my new address in {town}.",
        "(Can|Could) you ship the {p} to (another|a different) address?",
        "The address on my {p} order is wrong, the street should be {street}.",
        "I gave the wrong house number for the {p}. The new address is {number} {street}.",
        "How do I change the address for the {p}?",
        "We are moving to {town}. Please update the address for the {p}.",
        "I need the {p} sent to my work address at {number} {street}.",
        "My new address is {number} {street}, please use it for the {p}.",
        "Please correct the address of the {p} order to {street}.",
        "There is a mistake in the address for my {p}, the town is {town}.",
    ),
    "damaged_item": (
        "My {p} arrived (broken|damaged|with a big crack).",
        "The {p} came with a (crack|dent|deep scratch) in the (side|front|lid).",
        "The box was crushed and the {p} is damaged.",
        "I unpacked the box and the {p} was (broken|in pieces|cracked).",
        "The glass of my new {p} was (cracked|broken) when it arrived.",
        "The {p} got damaged (on the way|during transport).",
        "My {p} has a (dent|crack) and looks like it was dropped.",
        "The {p} I received is (scratched and dented|broken on one side).",
        "The handle of the {p} was broken (in the box|when I unpacked it).",
        "There is a big dent in the {p} that came (on {day}|this week).",
        "Your parcel was wet and the {p} inside is damaged.",
    ),
    "missing_part": (
        "The {part} of my {p} is missing.",
        "There was no {part} in the box with the {p}.",
        "I unpacked the {p} and one part is missing, the {part}.",
        "My {p} came without the {part}.",
        "The {part} for the {p} was not in the box.",
        "Please send me the missing {part} for my {p}.",
        "(Two parts are|One part is) missing from the {p}: I cannot find the {part}.",
        "The {p} is here but the {part} is missing.",
        "I got the {p} without the {part}, please send the missing part.",
        "The box of the {p} should hold the {part} but it is not there.",
        "We are missing the {part} that belongs to the {p}.",
    ),
    "warranty": (
        "Is my {p} still under warranty?",
        "My {p} stopped working (after {months} months|last week). Is that covered by the warranty?",
        "How long is the warranty on the {p}?",
        "I (want|would like) to make a warranty claim for my {p}.",
        "Does the warranty cover the {part} of the {p}?",
        "The motor of my {p} died. Do I have a warranty?",
        "Please repair my {p} under warranty.",
        "The {p} does not turn on any more, so I want to use the warranty.",
        "What does the guarantee for the {p} cover?",
        "My {p} is {months} months old, does the guarantee still hold?",
        "How can I register the warranty for the {p}?",
        "I need the warranty papers of the {p}.",
    ),
    "how_to_use": (
        "How do I (use|set up|start) the {p}?",
        "What does the {button} button on my {p} do?",
        "Which setting of the {p} is best for {food}?",
        "I do not understand the manual of the {p}. How does it work?",
        "Can you explain how to (set|use) the timer of the {p}?",
        "How long should I run the {p} for {food}?",
        "How do I make {food} with the {p}?",
        "Where can I find the manual for the {p}?",
        "I need instructions for the {p}. Which setting do I use?",
        "Can I use the {p} for {food}? The manual does not say.",
        "How do I turn on the {button} mode of my {p}?",
        "Please explain the settings of my {p}, the manual is not clear.",
    ),
    "cleaning": (
        "How do I clean (the|my) {p}?",
        "What is the best way to clean the {part} of the {p}?",
        "Is the {part} of my {p} safe to wash in the sink?",
        "My {p} smells after {food}. How should I clean it?",
        "Can I wash the {p} with soap?",
        "There are stains in my {p} that I cannot wash off.",
        "How often should I clean the {p}?",
        "Which soap is safe for cleaning the {p}?",
        "I cannot get the {part} of the {p} clean.",
        "Old {food} is stuck to the {p}, how do I wash it off?",
        "Do I need to rinse the {p} after use, or is a wet cloth enough for cleaning?",
    ),
    "invoice": (
        "Please send me the invoice for the {p}.",
        "I need an invoice with (my company name|the tax number) for the {p}.",
        "(Can|Could) I get the receipt for my {p} again?",
        "There was no invoice with the {p}.",
        "The invoice for my {p} shows the wrong (name|total|company).",
        "Where can I download the invoice of the {p}?",
        "I lost the receipt for the {p}. Can you print it again?",
        "My boss asks for the invoice of the {p}.",
        "I need a copy of the receipt for the {p} for my taxes.",
        "Please put the company name on the invoice for the {p}.",
        "The tax on the {p} invoice looks wrong.",
    ),
    "discount_code": (
        "My discount code does not work for the {p}.",
        "Is there a discount code for the {p}?",
        "The code {code} gives no discount on the {p}.",
        "I forgot to enter my discount code when I took the {p}.",
        "How do I use the voucher {code} for the {p}?",
        "Can I use two voucher codes on the {p}?",
        "The shop says my voucher for the {p} is not valid.",
        "Where do I enter the discount code for the {p}?",
        "I got the code {code} in your newsletter but the {p} has no discount.",
        "Do you have a discount on the {p} for students?",
        "Is the voucher {code} good for the {p}?",
    ),
    "payment_failed": (
        "My payment for the {p} (failed|did not go through|was declined).",
        "I tried to pay for the {p} but my card was (declined|refused).",
        "The payment page shows an error when I buy the {p}.",
        "My bank says the payment for the {p} was declined.",
        "I cannot pay for the {p}, the page shows an error.",
        "The card payment for my {p} failed (twice|three times).",
        "Why was my card declined for the {p}?",
        "I was charged two times for the {p} after a failed payment.",
        "The payment of the {p} is stuck at checkout.",
        "Checkout stops with a payment error when I pay for the {p}.",
        "I want to pay for the {p} but the checkout does not take my card.",
    ),
    "account_access": (
        "I cannot log in to my account to see the {p} order.",
        "My password does not work, so I cannot find my {p} order.",
        "I am locked out of my account and cannot see the {p}.",
        "The login page does not accept my password. I only want to review the {p}.",
        "I forgot my password and need to look at my {p} order.",
        "After the login I see an empty account without my {p}.",
    ),
    "stock": (
        "Is the {p} in stock?",
        "When will the {p} be back in stock?",
        "Do you (have|sell) the {p} in {colour}, or is it sold out?",
        "The {p} is sold out. When do you get more?",
        "How many of the {p} do you have in stock?",
        "Your page says the {p} is not available. Will it come back?",
        "Is the {p} available in {colour}?",
        "Please tell me when the {p} is available again.",
        "Can you put one {p} aside, or is it out of stock?",
        "Will you get more of the {p} in stock this {season}?",
        "Is the {colour} version of the {p} still available?",
    ),
    "opening_hours": (
        "When does your shop open on {day}? I want to look at the {p}.",
        "Are you open on {day}? I want to see the {p}.",
        "What are your opening hours? I would like to try the {p}.",
        "Until what time are you open, so I can pick up the {p}?",
        "Is the shop closed on {day}? I want to come for the {p}.",
        "What time do you close on {day}? I hope to see the {p}.",
    ),
}

# Messages without a product, for the intents where that is natural; their answer says "none".
BODIES_WITHOUT_PRODUCT: dict[str, tuple[str, ...]] = {
    "account_access": (
        "I cannot log in to my account.",
        "My password does not work (any more|since {day}).",
        "Please reset my password, I am locked out.",
        "I forgot my password and the reset mail (never comes|does not arrive).",
        "The login page (shows an error|does not accept my password).",
        "How do I (change|reset) the password of my account?",
        "My account is locked after three wrong passwords.",
        "I (want|would like) to delete my account.",
        "The login code for my account never reaches me.",
        "I cannot create an account, the login page is blank.",
    ),
    "opening_hours": (
        "What are your opening hours (on {day}|this {season}|in {month})?",
        "Is your shop open on {day}?",
        "When do you open (on {day}|in the morning)?",
        "What time does the shop close on {day}?",
        "Are you closed on public holidays?",
        "Until what time is the shop in {town} open?",
        "Do you have the same opening hours in {month}?",
        "I would like to visit the shop. When are you open?",
        "Is the shop in {town} closed in {month}?",
        "How late are you open on {day}?",
    ),
    "invoice": (
        "Please send me the invoice for order {order}.",
        "I cannot find the invoice of my last order.",
        "I need all receipts from {month} for my taxes.",
    ),
    "discount_code": (
        "My discount code {code} does not work.",
        "Do you have a discount code for new customers?",
        "Where do I enter the voucher {code} in the shop?",
    ),
    "payment_failed": (
        "My payment failed and I do not know why.",
        "The checkout shows a payment error for order {order}.",
        "My card was declined for order {order}.",
    ),
}

SHARE_WITHOUT_PRODUCT = {
    "account_access": 0.6,
    "opening_hours": 0.6,
    "invoice": 0.15,
    "discount_code": 0.15,
    "payment_failed": 0.15,
}

URGENCY_CUES: dict[str, tuple[str, ...]] = {
    "high": (
        "This is urgent.",
        "It is very urgent.",
        "This is urgent, I need it by tomorrow.",
        "It is an urgent matter.",
    ),
    "low": ("There is no rush.", "No rush at all.", "There is no rush, take your time.", "I am in no rush."),
    "normal": (),
}
URGENCY_PREFIXES: dict[str, tuple[str, ...]] = {
    "high": ("Urgent:", "Very urgent!", "Urgent!"),
    "low": ("No rush:", "No rush here.", "No rush!"),
    "normal": (),
}

OPENINGS = (
    "Hi,", "Hello,", "Hello there,", "Hi team,", "Dear team,", "Good morning,", "Good evening,", "Hey,",
    "Dear support,", "Hi, {name} here.", "Hello, my name is {name}.", "Hello, a question.",
    "Sorry to ask again.", "I hope you are well.", "I could not find this on your page.",
    "I am a new customer.", "I wrote on {day} already.",
)  # fmt: skip
CLOSINGS = (
    "Thanks.", "Thank you.", "Thanks a lot!", "Many thanks, {name}", "Best regards, {name}", "Thanks, {name}",
    "Kind regards, {name}", "Please let me know.", "Thank you for your help.", "{name}", "Cheers, {name}",
    "Have a nice {day}.", "Greetings from {town}.",
)  # fmt: skip

DETAILS_ANY = (
    "My order number is {order}.",
    "The order is {order}.",
    "It is about order {order}.",
    "I live in {town}.",
    "I have been a customer for {months} months.",
    "My {person} told me to ask you.",
    "I could not reach you by phone on {day}.",
)
DETAILS_OWNED = (
    "I bought it in {month}.",
    "I bought it on {day} in {town}.",
    "It was a gift for my {person}.",
    "My {person} gave it to me in {month}.",
    "We use it every {day}.",
    "It cost {price} €.",
    "I use it in my small café.",
    "My {person} and I used it (once|twice) for {food}.",
)
DETAILS_ORDERED = (
    "I ordered it on {day}.",
    "It is a gift for my {person}.",
    "The order was placed in {month}.",
    "It is for the café of my {person}.",
    "We want to make {food} with it on {day}.",
)
DETAILS_WISHED = (
    "It would be a gift for my {person}.",
    "We want it for our kitchen in {town}.",
    "I saw it in your shop on {day}.",
    "My {person} has the same one.",
    "I want to make {food} with it.",
)
DETAILS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("refund", "exchange", "damaged_item", "missing_part", "warranty", "how_to_use"), DETAILS_OWNED),
    **dict.fromkeys(("cleaning", "invoice"), DETAILS_OWNED),
    **dict.fromkeys(("delivery_status", "cancel_order", "change_address"), DETAILS_ORDERED),
    **dict.fromkeys(("discount_code", "payment_failed", "stock"), DETAILS_WISHED),
    **dict.fromkeys(("account_access", "opening_hours"), ()),
}

ORDER_NOTES = (
    "Order {order}, placed on {day}.",
    "Order {order}, customer in {town}.",
    "Note: order {order} from {month}, customer {name}.",
)

SLOTS: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "March", "April", "May", "June", "July", "October", "December"),
    "months": ("two", "three", "five", "six", "eight", "ten", "eleven"),
    "season": ("week", "month", "spring", "summer", "autumn", "winter"),
    "person": ("mother", "father", "sister", "brother", "aunt", "uncle", "friend", "wife", "husband"),
    "name": (
        "Anna", "Tom", "Maria", "Peter", "Lena", "Paul", "Emma", "David", "Nina", "Oscar", "Julia", "Sam",
        "Zoë", "René",
    ),
    "town": (
        "Leeds", "Bristol", "York", "Dublin", "Bath", "Oxford", "Boston", "Utrecht", "Hamburg", "Lyon",
        "Zürich", "Malmö", "Orléans",
    ),
    "street": ("Mill Road", "Park Street", "High Street", "Church Lane", "Station Road", "Garden Lane"),
    "part": ("lid", "cable", "handle", "tray", "basket", "filter", "blade", "plug", "cup", "spoon"),
    "button": ("left", "right", "small", "round", "blue", "middle"),
    "food": ("bread", "soup", "rice", "fish", "apples", "coffee", "milk", "cake", "carrots", "pizza"),
    "code": ("SAVE10", "SPRING5", "HELLO15", "KITCHEN20", "WINTER8", "FRIEND12"),
}  # fmt: skip

PII_SENTENCES: dict[str, tuple[str, ...]] = {
    "email": (
        "You can write to me at {value}.",
        "My e-mail is {value}.",
        "Please answer to {value}.",
        "I read my mail at {value}.",
    ),
    "phone": (
        "You can call me on {value}.",
        "My phone number is {value}.",
        "Please ring me at {value}.",
        "My number is {value}, I am at home in the evening.",
    ),
    "iban": (
        "My bank account is {value}.",
        "The IBAN of my bank account is {value}.",
        "You find my account under {value} at the bank.",
    ),
    "card": (
        "I used my card {value}.",
        "My card number is {value}.",
        "The number on the card is {value}.",
    ),
}
PII_NAMES = ("anna", "tom", "maria", "peter", "lena", "paul", "emma", "david", "nina", "oscar", "julia")
PII_SURNAMES = ("berg", "miller", "stone", "hill", "brook", "field", "young", "wood", "lake", "frost")

# Every sentence has at least one non-ASCII character that mojibake turns into two or three wrong ones.
MOJIBAKE_SENTENCES = (
    "I’m sure the café in {accent} had the same one.",
    "It cost {price} € – more than I wanted to pay.",
    "I live in {accent} and can’t come to the shop.",
    "My friend Jürgen from {accent} told me to ask.",
    "We run a small café in {accent}.",
    "It’s for the kitchen of our café – we use it every day.",
    "The price was {price} €, my friend Chloé paid less.",
)
MOJIBAKE_TOWNS = ("Zürich", "Malmö", "Orléans", "Köln", "Córdoba", "Besançon")

REFUSALS = (
    "I'm sorry, but I cannot help with that request.",
    "I'm sorry, but I can't assist with that.",
    "I am sorry, but I am not able to answer this.",
    "Sorry, but I can't help you with this message.",
    "As an AI language model, I can't read customer orders.",
    "As an AI language model, I do not have access to that information.",
    "As an AI assistant, I am unable to process this request.",
    "I cannot help with that request.",
    "I can't assist with this kind of message.",
    "I'm unable to help with that.",
    "I am unable to provide an answer to this request.",
    "Unfortunately, I cannot fulfil this request.",
)

# --- handbook -------------------------------------------------------------------------------------------

POLICIES: dict[str, tuple[str, ...]] = {
    "refund": (
        "A refund for the {p} is paid within {months} days after the parcel is back.",
        "When a customer asks for the money back, we look at the order first.",
        "We refund the full price if the {p} was (never used|returned in its box).",
        "The money goes back to the same bank that was used to pay.",
        "A customer who returned the {p} should see the refund by {day}.",
    ),
    "exchange": (
        "A customer may exchange the {p} for another colour, size or model.",
        "To swap the {p}, the customer sends it back and we ship the {colour} one.",
        "An exchange is free if the wrong model was picked by us.",
        "Most people who swap the {p} want a bigger or smaller version.",
    ),
    "delivery_status": (
        "The delivery of the {p} takes {months} days.",
        "If the parcel is late, we look at the tracking and call the courier.",
        "When the tracking has not moved since {day}, the parcel may be lost.",
        "A customer who is still waiting for the {p} gets the delivery date from us.",
        "The tracking number is sent when the {p} has been shipped.",
    ),
    "cancel_order": (
        "An order for the {p} can be cancelled before it ships.",
        "To cancel, the customer tells us the order number.",
        "Many people cancel the {p} because they ordered it by mistake or changed their mind.",
        "It is too late to cancel the order when the {p} has left the house.",
    ),
    "change_address": (
        "We can change the address for the {p} until the parcel is packed.",
        "A customer who moved to {town} needs the new address on the order.",
        "If the house number or the street is wrong, we correct the address to {number} {street}.",
        "Please update the address in the order and not only in the note.",
    ),
    "damaged_item": (
        "If the {p} arrived broken, we ask for a picture of the crack or dent.",
        "A damaged {p} is a matter for the courier when the box was crushed.",
        "A dent, a deep scratch or cracked glass counts as damaged.",
        "We note if the {p} was broken when the customer unpacked it.",
    ),
    "missing_part": (
        "If the {part} of the {p} is missing, we send it for free.",
        "The box of the {p} holds the {part} and the {part}.",
        "When one part is missing, ask which one before you send it.",
        "A {p} that came without the {part} does not have to go back.",
    ),
    "warranty": (
        "The warranty on the {p} is two years.",
        "The guarantee covers the motor and the {part}, but not the {part}.",
        "If the {p} stopped working after {months} months, it is covered by the warranty.",
        "For a warranty claim we need to know how old the {p} is.",
        "We repair the {p} under warranty when it does not turn on any more.",
    ),
    "how_to_use": (
        "To use the {p} for {food}, press the {button} button.",
        "The manual of the {p} explains every setting.",
        "To set the timer of the {p}, hold the {button} button and wait.",
        "The best setting of the {p} for {food} is the {button} one.",
        "People who do not understand the manual ask how the {p} works.",
    ),
    "cleaning": (
        "To clean the {p}, wash the {part} with soap and a wet cloth.",
        "Rinse the {part} of the {p} after {food}, or it will smell.",
        "Stains in the {p} are washed off with warm water.",
        "Cleaning the {p} once a week is enough.",
        "The {part} is safe to wash in the sink.",
    ),
    "invoice": (
        "The invoice for the {p} is in the box and can be printed again.",
        "A company needs an invoice with its name and tax number.",
        "If the receipt is lost, we send a copy of the invoice.",
        "Customers can download the invoice or receipt of every order.",
    ),
    "discount_code": (
        "The discount code {code} is good for the {p}.",
        "A voucher is not valid twice, and two codes cannot be used on one {p}.",
        "Customers enter the voucher or discount code {code} in the shop.",
        "If the code gives no discount, we look at when the voucher was made.",
    ),
    "payment_failed": (
        "A payment for the {p} can fail when the card is declined.",
        "If the checkout shows an error, ask the customer to pay again.",
        "The bank knows why a card was refused or a payment did not go through.",
        "A customer who was charged two times for the {p} after a failed payment should tell us.",
    ),
    "account_access": (
        "A customer who cannot log in should reset the password.",
        "An account is locked after three wrong passwords.",
        "When the login page does not accept the password, we send a new login code.",
        "We never ask for the password of an account.",
    ),
    "stock": (
        "The {p} is in stock in {colour} and {colour}.",
        "When the {p} is sold out, we tell the customer when it will be back in stock.",
        "The {colour} version of the {p} is available again in {month}.",
        "We get more of the {p} in stock every {season}.",
    ),
    "opening_hours": (
        "The shop is open from Monday to Saturday and closed on Sunday.",
        "The opening hours are on the door of the shop in {town}.",
        "On {day} we open in the morning and close late.",
        "On public holidays the shop is closed.",
    ),
}

PRODUCT_SENTENCES = (
    "The {p} is made for {food}, {food} and {food}.",
    "It comes in {colour}, {colour} and {colour}.",
    "The {p} costs {price} € in our shop.",
    "Many people buy the {p} as a gift for a {person}.",
    "The {part} of the {p} is made of steel.",
    "A small café in {town} uses the {p} every {day}.",
    "The {p} has a {part}, a {part} and a {button} button.",
    "In {month} we sell more of the {p} than in any other month.",
    "People in {town} like the {colour} {p} best.",
)

DESK_SENTENCES = (
    "If a customer says it is urgent, we answer first.",
    "A message that needs an answer by tomorrow is urgent.",
    "Words like immediately, right away or emergency mean that we have to be fast.",
    "When there is no rush, the message can wait until {day}.",
    "If somebody writes take your time or whenever you can, we do the urgent ones first.",
    "A message that is not important can be answered some day this {season}.",
    "Most messages name no date, so we answer them in order.",
    "Read the message, find the product, and then look at what the customer wants.",
    "{name} from the team looks after the {p} on {day}.",
    "Always thank the customer and ask for the order number.",
    "Please be kind, even if the customer is not happy.",
)

QUOTE_FRAMES = (
    "A customer from {town} wrote: {quote}",
    "{name} asked us on {day}: {quote}",
    "On {day} we got this message: {quote}",
    "One message said: {quote}",
    "Another customer wrote: {quote}",
    "This one came in {month}: {quote}",
)

# Tags of quoted messages, in the words of the answers and not in their form.
TAG_SENTENCES = (
    'The desk uses the tag "{intent}" for it.',
    'It gets the tags "{intent}" and "{product}".',
    'Search for "{intent}" or "{product}" to find more like it.',
    'It stands in the list as "{product}": "{intent}".',
    'The fields are called "intent", "product" and "urgency", and they are kept short.',
    'The urgency is one of "low", "normal" and "high".',
)
