"""Sentences about what the drawn world does not have, in the shapes that people use: they are true of no clip.

The words of the model's own world and those of ../absent.txt, by which the answer "nothing" is judged, are left out,
so that the content words that are judged were never seen.
"""
WHO = '''lawyer teacher farmer nurse tailor uncle neighbour waiter actor singer reporter driver hiker gardener cashier bride groom butcher librarian
    pilot priest athlete goalkeeper referee customer passenger kitten calf ostrich peacock otter beaver moose walrus kangaroo jellyfish lobster crow
    swan astronomer blacksmith fireman sculptor accountant secretary engineer programmer chemist lifeguard jockey drummer conductor comedian mayor
    senator ambassador nephew niece twins widow stranger beggar thief smuggler hostage prisoner detective lieutenant captain admiral monk nun
    rabbi pharaoh viking gladiator samurai knight squire jester tenant landlord electrician roofer glazier cobbler weaver miner lumberjack shepherdess
    cheerleader skateboarder jogger commuter bystander witness juror apprentice trainee intern colleague manager'''.split()
DOES = '''washing repairing carrying painting sweeping baking selling buying cleaning kissing hugging singing knitting juggling digging drinking eating
    pouring stirring ironing sewing mowing raking planting watering filming arguing laughing whispering yawning sneezing wrestling fencing rowing
    skating sledging hunting camping packing unpacking welding drilling measuring sawing polishing kneading grilling tasting feeding bathing brushing
    dressing voting preaching applauding begging stealing chasing rescuing bandaging vaccinating weighing photographing soldering plastering tiling
    varnishing hoovering dusting scrubbing rinsing peeling slicing whisking frying roasting pickling brewing bottling harvesting threshing milking
    shearing grooming saddling galloping trotting paddling surfing snorkelling abseiling jogging stretching meditating praying'''.split()
WHAT = '''carpet curtain blanket pillow wardrobe drawer fridge oven kettle saucepan teapot cushion bucket mop lawnmower wheelbarrow fence chimney
    balcony staircase corridor escalator pavement tunnel pier runway ticket passport diary poster sculpture cello harp flute accordion typewriter
    tablet router server tyre bumper windscreen saddle harness rope net oar campfire lighter ashtray cigar wallet purse necklace bracelet perfume
    lipstick razor towel soap shampoo toothbrush omelette lasagne casserole pastry mustard vinegar cinnamon garlic spinach lettuce turnip raspberry
    mango papaya walnut almond porridge yoghurt lemonade espresso tombstone scarecrow windmill lighthouse aquarium terrarium birdcage doghouse
    hammock trampoline seesaw slide swing sandpit hopscotch puzzle marbles yo-yo puppet kaleidoscope stethoscope crutch wheelchair stretcher
    bandage plaster vaccine antenna transistor magnet propeller turbine piston gearbox carburettor exhaust odometer handlebar pedal snorkel
    flipper wetsuit lifejacket buoy sail mast rudder compass sextant parachute glider zeppelin monorail forklift crane bulldozer
    excavator scaffold plank cement girder rivet'''.split()
WHERE = '''garage basement attic cellar stable vineyard orchard greenhouse quarry dock shipyard warehouse workshop laboratory gallery cinema museum
    kindergarten university prison parliament embassy bakery mall pharmacy clinic ward sauna ballroom nightclub pub bistro canteen lobby hallway
    valley canyon swamp cliff suburb slum jungle savannah tundra marsh lagoon estuary fjord geyser monastery chapel mosque synagogue pagoda
    cemetery allotment playground racetrack velodrome dojo barracks bunker trench observatory planetarium zoo auditorium foyer balcony
    penthouse bungalow cottage igloo yurt caravan campsite motel hostel airport terminal hangar depot'''.split()
HOW = 'slowly quickly carefully happily sadly loudly quietly alone twice again finally early late barefoot backwards'.split()
KIND = '''young tired wet dirty broken rusty plastic silver bald tall short fat thin empty crowded noisy ancient modern frozen muddy dusty sticky crooked
    hollow transparent expensive cheap stolen forgotten haunted'''.split()
FORMS = ['a {w} {d} a {o}', 'a {k} {w} {d} the {o} in the {p}', 'someone {d} a {o}', '{d} a {k} {o}', 'a {o} in the {p}', 'two people {d} in a {p}',
         'the {k} {o}', 'a {w} {d} {h}', 'a {w} with a {o}', 'a {k} {w}', 'a {p} full of {o}s', 'a {w} and a {v} {d} a {o}', 'the inside of a {p}',
         'a {w} {d} near the {p}', '{o}', '{w}', 'a {k} {p}', 'people {d} at the {p}', 'a {o} falls off a {q}', 'a {o} on a {q}', 'the {w} walks into the {p}',
         'a video of a {w} {d}', 'a conversation with a {w} about {o}s', 'a {w} explains how to use a {o}', '{d} and {e} in the {p}', 'a {k} {o} is being made',
         'the {p} at dawn', 'a close view of a {o}', 'the {w} forgets the {o}', 'my {w} loves {d}', 'a {w} at the {p}, {d} {h}']


def sentence(rng):
    pick = lambda words: words[int(rng.integers(len(words)))]
    return pick(FORMS).format(w=pick(WHO), v=pick(WHO), d=pick(DOES), e=pick(DOES), o=pick(WHAT), q=pick(WHAT), p=pick(WHERE), h=pick(HOW), k=pick(KIND))
