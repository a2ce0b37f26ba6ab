/**
 * The letters of the 3,000 most used passwords that have three or more, and the 400 most used of eight and more without
 * any letter. Compared with a password's letters, and with the whole of it.
 * @see @zxcvbn-ts/language-common 3.0.4, passwords.json (MIT; copyright Dan Wheeler and Dropbox, MrWook)
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  password qwerty dragon baseball abc football monkey letmein shadow master michael mustang qwertyuiop pussy superman
  qazwsx fuckyou jordan jennifer qwe killer trustno hunter harley zxcvbnm asdfgh buster andrew batman soccer tigger
  charlie robert sunshine thomas iloveyou fuckme ranger daniel hockey george computer michelle jessica starwars
  asshole pepper klaster zxcvbn freedom princess joshua maggie pass ginger fuck amanda ashley love cheese nicole
  summer matthew chelsea dallas biteme matrix william yankees taylor corvette austin access martin heather thunder
  merlin secret diamond hello anthony hammer fucker qwer silver gfhjkm justin patrick richard bailey internet samantha
  golfer scooter test orange cookie qwert maverick jackson sparky mickey phoenix bigdog snoopy guitar whatever chicken
  morgan andrea camaro mercedes peanut ferrari cowboy falcon welcome samsung sexy steelers joseph smokey dakota
  melissa arsenal boomer eagles tigers marina nascar booboo gateway porsche yellow monster spider diablo hannah
  bulldog junior london purple compaq lakers iceman hardcore cowboys money banana ncc boston brandon tennis johnny
  miller coffee scooby edward nikita mother yamaha brandy barney chester fuckoff oliver charles player knight forever
  steven rangers midnight chicago bigdaddy redsox victoria badboy angel please fender chris jasper james slayer rabbit
  natasha rachel bigdick marine wizard marlboro raiders prince casper fishing flower crystal jasmine panties iwantu
  adidas winner winter gandalf enter ghbdtn angela mike golden lauren cocacola winston madison angels blowme panther
  sexsex bigtits spanky bitch shannon sophie johnson asdfasdf david horny thx toyota tiger murphy dick canada danielle
  blowjob jonathan liverpoo muffin cooper apples jackie dennis black passwrd john abcd sandra pokemon slipknot carlos
  qazxsw scorpion qwaszx nathan butter startrek rainbow asdfghjkl razz redskins newyork gemini cameron qazwsxedc
  florida liverpool turtle nicholas viking booger wilson sierra butthead doctor rocket victor dolphins captain bandit
  jaguar packers pookie peaches asdf blue dolphin helpme tucker theman tiffany maxwell jeremy qwertyui shithead debbie
  albert maddog lovers monica alex united giants nirvana metallic hotdog rosebud mountain benjamin warrior stupid
  elephant suckit success bond jackass bonnie alexis porn lucky jason scorpio samson rush azerty freddy driver willie
  calvin sydney gators dexter red bubba creative golf voodoo happy arthur trouble america nissan gunner rebecca stella
  garfield gordon jessie bullshit parker asdfghjk fucking apollo jack eminem december legend airborne beavis august
  bear apple brooklyn godzilla skippy buddy kitten magic shelby beaver phantom fred nothing asdasd williams xavier
  braves darkness blink travis copper tomcat platinum qweqwe girls bigboy green power animal police online voyager
  lifehack fish sniper trinity walter blazer heaven lover snowball playboy bubbles loveme hooters cricket marvin
  willow donkey topgun nintendo saturn family november gabriel destiny pakistan pumpkin digital sergey chance explorer
  redwings private therock runner tits lasvegas guinness beatles fire cassie christin celtic broncos andrey babygirl
  nelson donald scott eclipse cartman fluffy louise michigan testing carolina little samuel alexande birdie steve
  cherry pantera sharon gibson vampire mexico dickhead peter buffalo montana genius beer flyers maximus school
  minecraft lovely stalker metallica doggie carter kristina kimberly spencer speedy barbara snickers sabrina carmen
  marcus bronco yankee friends paradise lol dreams magnum horses cool caroline lacrosse goober member qwertyu enigma
  scotty pimpin bollocks brian cock surfer sammy genesis poohbear dave star asd qweasdzxc baby racing friend hawaii
  eagle billy viper october vanessa poopoo einstein boobies stanley walker bitches paul drowssap stephen courtney
  simple alaska badger action jake bill denise jester spitfire drummer forest patricia maryjane champion diesel
  svetlana rock friday kevin mark gregory pamela frank hotrod chevy anderson douglas westside security google badass
  shorty tester thumper hitman mozart general reddog boobs zaqwsx music lizard alexander melanie ruslan vincent sweet
  teresa scarface marshall olivia veronica porno buddha spirit frankie stargate antonio liberty natalie mercury naruto
  suzuki semperfi king popcorn spooky marley system brittany claudia kelly scotland free kitty cherokee vikings
  simpsons death leslie rascal qweasd jimmy loveyou hummer allison rocky patches russia adrian jupiter penguin cumshot
  howard passion honda vfhbyf andre vladimir franklin sandman infinity homer bastard raider passport assman sucker
  fantasy bulldogs horney domino budlight ironman disney norman usuckballz softball bishop francis brutus ford redrum
  brooke bigred jeffrey jesus fktrcfylh karina marines kawasaki digger ireland oksana fireman cougar college shit
  alicia russell houston monday bradley cunt sarah nigger justice super wildcats tinker duncan dancer logitech avalon
  swordfis everton reggie motorola alexandr molly timothy hentai claire patriots madonna colorado eugene ducati kermit
  juventus indian connor galore freeuser smooth house titanic boogie simpson warcraft wolverin elizabet arizona saints
  valentin georgia asdfg accord matt baxter denver mitchell christ yfnfif slut smith stinky zachary roland naughty
  nccd spiderma chopper brenda extreme virginia water skyline poop zombie pearljam froggy pirate fylhtq vision awesome
  alyssa dreamer predator bullet empire wolf kirill people penis elvis panthers skipper nemesis peekaboo rasdzv simon
  alison rolltide american cardinal arnold chevelle daddy psycho danger mookie wanker manutd tommy hobbes vegeta
  goblue burton fyfcnfcbz picard bobby windows loverboy lovelove vfrcbv victory bambam turkey serega tweety hiphop
  galina changeme rooster polina berlin suckme taurus electric ronald avatar mine raptor alpha maksim spring brazil
  eric bigcock newport hard kenneth hendrix madmax england sublime britney france darkside bigman hercules lawrence
  wolfpack classic lincoln ronaldo spiderman blizzard cheyenne wombat cjkysirj raymond brother kristen pandora devils
  zxc simone holiday wildcat horse kramer sterling caesar alabama carrie bondage basketball sports pussycat pickle
  catch leather shaggy chronic flowers qaz qqq robbie admin gracie amber freepass airplane perfect kodiak billybob
  katana sunset crazy good stingray maria anna snowman phpbb chocolat zeppelin garcia detroit wolves pontiac candy
  firebird vagina gundam panzer outlaw time pretty fisher connie honey business trevor redhead hardon greenday
  tarheels nastya hellfire cobra engineer savage service serenity sasha michele dude lickme fireball white remember
  darkstar miranda flash harvey oscar strike freddie pavilion beauty bobafett adam dbrnjhbz jeff bigmac duke clinton
  bowling jenny natali future harrison jones wallace swimming apache rulez pyramid dodgers girl whynot fuckit defender
  teens morris trooper cancer precious packard lucifer popeye weasel raven icecream stewart tanner swordfish blonde
  sandy presario rockstar viktor manager cheryl norton control wutang airforce julian atlanta pimp spike thailand
  looking casino paris mouse lennon bluebird theone hawkeye hacker lisa dustin elaine nfnmzyf sailor catfish goldfish
  maxima tattoo barbie light design pervert machine herman wrangler rocks trucks nipples roscoe tornado jerry lights
  bubble cadillac madman orlando pegasus target longhorn laura philip browns eatme stefan cannon dilbert baller
  microsoft winnie christia katie shooter xfiles qazqaz lesbian street seattle corona amateur cthutq prelude beach
  malibu freaky assassin integra atlantis pussies dragons iloveu unicorn lonewolf regina stealth kristin tony peewee
  openup bobcat stacey software newton leonardo student srinivas angelina young enjoy valentina trigger lolita athena
  shotgun coyote bruins veronika dollar country joker babydoll lestat wordpass hottie smiley potter random sweety
  butterfly woody chipper snake samurai video gizmo maddie devildog valerie mistress flipper express powers sosoaljg
  cessna teacher goldie moose polaris piglet cookies elena montreal hjvfirf ladies wolfgang fatboy scully father
  single wicked daisy fetish foobar castle tickle bunny pepsi balls transam dfvgbh oicu impala sunday booty hotstuff
  ronnie jasmin ryan gambit toshiba basketba lancer birthday texas stephani hooker knicks roberto stinger testtest
  kathleen savannah shamrock benson squirt deftones trucker nick redneck goldberg alfred blaster siemens shelly
  renegade manson subaru ibanez blondie hamilton casey swinger reaper cristina minnie mylove harry galaxy lindsay
  dudley farmer gloria special blahblah enterpri travel babylon bigone sweetpea sugar smoke skeeter fucked indiana
  great ficken trfnthbyf freeman curtis smitty marino joanne bigfoot escort babes check larisa trumpet tristan spartan
  asdfghj sister valera stormy paladin andreas cavalier marathon hamlet aardvark butterfl bigboobs mister manchester
  rusty napoleon seven indigo hornet skater jerome pierre wonder toronto rose indians karate buckeyes julie hesoyam
  fredfred charger highland sweetie holland chiefs diamonds buckeye aurora hotsex campbell griffin brandi redman
  passwor chandler drpepper monika maiden elizabeth leonard bernie brown pornstar garden storm autumn linda thuglife
  millie jungle pencil tomtom insane pizza timber sherlock mariah audrey hamster aragorn pioneer techno catdog lollol
  triumph sidney fktrctq none sophia morpheus island wetpussy hobbit blabla erotic aaron pascal sampson consumer
  justme marion stones chrissy tyler nadine marie goforit burger pitbull kelsey adgjmptw spartak german karen kissme
  hunting kaiser martha colors artist harold bass italia sammie barcelona mario nicolas virgin pebbles sundance
  isabella overlord emerald callie doggy irina racecar isabelle germany goddess change wesley nipple basket joejoe
  holly poison zipper alpine shirley element huskers marcel eddie danny christy pussys sakura chichi inside ultimate
  dirty nicola ncce blackie omega watson rommel geronimo nikki caserta trojan philips sergio nugget tarzan bassman
  warren trixie chicks aleksandr cream webster help sherry manuel portugal dodger anakin bobbob bomber michel madness
  superfly loser florence yvonne fatcat global ybrbnf energy desire wrinkle soldier bianca sexual warlock martina babe
  andrei larry seminole peace alejandr westham concrete harris margaret hector christop naked ladybug network bernard
  weed tintin qazxswedc trombone chuck pleasure rhbcnbyf home history bluesky sherman logan january onelove cotton
  christian cdtnkfyf sunny archie holden whore brianna vfvjxrf titans stallion lindsey singer truck smile party missy
  hansolo angelo joanna natalia beagle phillip panama smiles juice qawsed inferno moon mongoose connect kingkong
  snatch flatron sexme bluemoon turbo rocker personal emily blessed snakes dominic joey forget finger beetle jamaica
  alberto mulder jamie susan immortal head passat plastic dietcoke spunky suck long whiskey monitor giovanni cactus
  ripper spyder markus planet teen patton exigen sticky waters sluts nolimit daniela hollywoo abigail morrison katrina
  trunks andy assass always diana deedee clifford april speed japan mission pickles million sailing freak holmes
  bonehead fernando ghbdtnbr charlott delta yomama darren rubber newman faster cumming bertha memphis sylvia open
  ilovesex maurice hongkong olga jumper unreal geheim rodney nylons sebastia pentium legion shalom kennedy brooks
  movie dodge dream graham sprite curious pacific loulou funtime philly ferret niners orion werewolf milton cantona
  kingdom stars africa office boeing gilbert abgrtyu pirates sheila french sweets cooldude palmer eternity lollipop
  tottenha stocking monique anything foster irish jackoff biscuit drizzt camera columbia fossil moomoo makaveli tracey
  colt robinson isabel martini salmon shasta jersey verbatim maniac snapper satan nasty solomon patriot jacob standard
  shaved blackcat asdzxc punkrock raistlin infantry dillon gerald twister ricardo waterloo cjkywt clayton crimson
  serena oxford maxmax denis flight condor seinfeld silvia biggie maxine musicman ravens teddy colleen bruce wolfman
  sharks megadeth cosmos velvet butt keeper foxtrot garrett damien anton sesame skywalke gngn banshee cats squirrel
  wolverine dogs sunrise rick ghost western grendel sucks roxanne privet legolas frog felix marlin stone herbert
  lvbnhbq qazwsxed carrot blades frosty stardust helena brownie groovy penny butler coolio twilight daytona licker
  peanuts intrepid pikachu trains mollie vanhalen jericho hershey strider lobster punisher grace bird zaq bottom ninja
  murray kansas shogun goblin search neptune ball showtime darwin amadeus suzanne fuckfuck oldman bruno showme henry
  getsome muscle obiwan support rfrfirf skittles ekaterina gold whitney shark maestro anal danni tanker english
  tarheel fighter thanks hannibal capital newlife anubis gothic chaos blues cindy sabine roman preston princes brendan
  slick evelyn python richie tequila boss cody devil clover delete mirage blood surfing bentley portland potato
  baggins review porter chubby panasonic sandiego sooners buffy buck tina derrick penelope blackdog harmony fusion
  dima mature malcolm allen mary buttons californ safety playtime dagger moscow swallow warriors byteme stimpy
  gangster lucas christine turner iverson lester chargers liquid mushroom cracker dingdong misty nymets robin bigguy
  mobile tazman greg nimrod newpass miami crusader bugger stranger dkflbvbh anastasia marco volume masters monroe
  miguel doodle collins powder archer gotcha battle dublin slapshot guardian janice charly septembe photos knights
  short angelica nookie milano scarlett stuart damian grizzly camille scruffy brasil latino kittycat poopie munchkin
  lorenzo rammstein bananas barcelon santiago thegame hell world gerard picasso walnut kolobok blackman wisdom trance
  starcraft parrot quality blade pink auburn goodluck eatshit dorothy dusty engine coltrane gorilla wheels katerina
  tamara postal fuckinside luther carlo cassidy discover oakland spanking osiris dumbass shaney lonestar ping bridge
  bingo bender annie stonecol dookie meridian sally megaman racerx rjntyjr sirius firefly julia alexandra madrid terry
  griffey women phoebe zaqxsw weezer beautiful violet ledzep lowrider randy gangsta ghjcnj paradox tacobell loving
  catalina vertigo halflife carson sergei shiloh johnjohn sobaka buffett aliens sadie chucky bonjour kangaroo jazz
  josh thompson sinner socrates keyboard stevie jeep trebor finish dark luke sprint shazam lady national celica
  scarlet formula hoover sommer frances hotboy cynthia qwerasdf penguins rebels fuckface elwood melvin vacation kiss
  ragnarok bollox lexmark mailcreated lorraine claude rockon duck dodgeram tacoma romeo wookie prodigy tempest vfhecz
  flames sebastian colombia bang kitkat oblivion mystery sithlord server molson mustangs incubus smoker window
  scoobydo rescue bigballs zxcv carpet titleist richmond director lawyer megan juan magnolia celeste melinda lucy
  wright jimbob golfing kenny roger bobbie xanadu tardis blueeyes hearts dixie pooper shaman mersedes springer imagine
  janine kenwood dogg garbage martinez topper roberts lizzie ashton elliott oracle sheena chloe nuttertools mallard
  analsex shemale mikey asterix faith monkeys imperial jimbo cooler grateful gillian peterpan kingston yourmom sleepy
  gremlin printer hudson paword stud freckles birdman aussie esther defiant margarita deadhead polo anime tatyana
  jackal frogger bridget wayne research tobias mariners rootbeer blondes donnie katrin weather aspirine frederic
  parola photo children account israel stephanie shaolin noodles celine willy willis forgot hallo mandy rogers palace
  santos ohyeah magnus laurie creampie amazon kisses queen ludwig fatass plymouth justdoit assfuck nellie putter
  broken nopass letsgo bryan bones tatiana camel champs lightnin massive camelot bosco deanna gizmodo spidey caliente
  aezakmi goodtime mypass roller catherin active pooh payton lonely redalert brucelee smokin porkchop astros aquarius
  thankyou atomic fletcher shopping mason marian vanilla unknown sapphire temple marvel beckham qazwsxedcrfv kaktus
  myself sooner blacky hastings blackjac aggies scream picture judith iforgot kasper cxfcnmt bangkok shitty spectrum
  eduard vader jammer painter primus veritas ernest kristi chevrole amsterdam slappy valley pete hitler clancy spankme
  granny avenger usa rosemary husker candyman beatrice scrappy simba falcons dylan front harder atlantic labrador
  smudge syracuse southern melody timmy elijah center darling throat stuff fatman krishna sanchez pancho gator pacman
  commando vulcan bush clitoris lemons alice jyeuz boner keith odessa barkley monopoly method kelley sara punkin
  pineappl celtics lesbians space gangbang bennett area lick flyboy hamburg aaa asian carol spartans tricky romashka
  snuggles boat infiniti anders billie life drago blake hermes jesse goose jeremiah vivian annette homerun dead
  forrest carolyn topcat hayden cosworth vectra grover goodbye charlotte cuddles bossman horndog doberman gary telefon
  dawg qawsedrf ivanov durango peugeot franco kyle plumber bell rbhbkk pauline exigent laguna emmanuel webmaster
  bowler leopard strong theking redbull alan pics beast viktoria breeze topdog starbuck dance dalton fuckers hungry
  beefcake reality gjkbyf speaker shelley godsmack clarence writer loveit kingpin nokia valhalla night starfish
  anarchy herbie blacks content sailboat desert fitness brando bohica achilles tractor ncca drake bull hidden kicker
  labtec napass bart pawrd amelia tuesday frontier swingers caitlin muppet terror legacy farside terminator bella
  matilda kentucky doughboy ramona butthole phillies jrcfyf camels dannyboy oakley nebraska latin double qwertyuio
  sabbath chang pinkfloy homers striker looker fallen maryland luckydog azamat september iguana oklahoma moloko agent
  vfrcbvrf javier vette daniil command rhonda studio pistol miles skiing franky stoner conrad select tanya houses
  boris puppy elliot charmed vladik nathalie whocares maynard vkontakte ihateyou puppies zidane eileen dilligaf crash
  mandingo moneys tyrone funny nevada kotenok mystic california budman church carlton rafael technics bone stick
  golfball rookie panda laptop today jennie triton river trojans bunghole zvezda hurrican central stripper dale filter
  jethro snow gustav ivan escape hawk igor aberdeen shane lespaul rfnthbyf enterprise butch dthjybrf cutter splash
  handsome oilers randall cash nofear cupcake excalibu momoney gbpltw bigger belinda svetik possum metal moocow
  brothers bethany keystone babyboy flamingo firefox bogdan ccbill passwort soleil lancelot vipers marilyn tdutybq
  juliet leader madden russian australia sabina chase coolman babies skinny zaphod kamikaze verona bacon noodle rebel
  doobie designer deadman attack vortex killme dogman gopher somethin danila reagan cancel torres freaks azsxdc sassy
  donna dracula play poncho bearbear boots engage deskjet bradford hammers deeznuts warhammer tight justine ralph
  fabian lewis blueblue marissa oregon bubbas sinatra hilton meatball mailman dawson columbus manchest cthulhu
  macdaddy mighty michaela grandma ready sterlin cartoon summit sentinel tolkien bicycle blow beverly breast lickit
  kathy meghan universe capone jenna julius wendy bryant truelove helen nancy eatpussy hailey chair bowser kathryn
  sexygirl fernand eleven rockets billyboy military demon davis jamesbon iloveyo traffic saint redhot microsof sonic
  miracle microlab gofish pantyhos pilot lifetime rugby mayday aikido nina conner cutlass tree thekid theodore titties
  sweden function polska danie gang market scotch lansing elvira bloody sexx hustler anfield coke smut catman bonita
  tracy sony fast cheers tinman airbus peters china azsxdcfv santana hayley station gabrie scottie orioles charlton
  saun fortuna dfkthbz rustam warlord retard fatima ultima kong bigmoney rotten betty grumpy oranges superstar fordf
  asdfjkl boxing xtreme denali selena zxcasd huskies terminal wilbur kristy wildfire vladislav bikini thor hollywood
  mayhem sultan gretchen figaro sixers sparta saratoga running cloud models mojo greenbay cancun marlene trinidad
  tammy chewie hope number feet crunch bigbird mellon bigtime fashion piccolo fabie rjirfrgbde rovers meatloaf
  hyperion sandro rightnow jarhead armani treasure miriam hansen natural lisalisa sport bizkit maradona sayang charli
  rfhbyf utopia anaconda japanese camilla coconut govols emerson memory catherine jedi cosmo cruise giant ricky
  dragoon woofwoof giorgi packer poontang illini christopher davids pedro sticks revenge exodus reebok chanel albatros
  cabbage goku wally beaner quincy greens tomato toby chief richards adriana kenworth deborah down cooter dinosaur
  holyshit eeyore movies dana lionking creamy adult poodle tsunami happyday knopka bogart corrado volley chickens
  orgasm whisper flying first chocolate walleye hopper sean twisted chaser memorex ericsson jensen positive crazybab
  science frisco dong jose zorro romance sherwood shania rereirf sausage milana tasha vfvekz profit zenith fugazi
  junebug clemson polniypizdec tootsie fktrcfylhf comics zxcasdqwe vfczyz werner aspire hardrock condom cocks rachael
  gringo anhyeuem madeline rich becky canon february alien harper stocks marcos clapton roberta coleman applepie
  skywalker fubar theresa koshka tundra vitalik arjay gmoney bigsexy ingrid pillow fingers samiam dean davidson
  skorpion candle nobody hellyeah better australi drew rockhard boob easy bears sparkle johanna everest rfrnec
  hedgehog wolfie surf fart yosemite marisa voyeur baddog brad jazzman dicks tool temp cheetah slacker steele mikemike
  wood pooppoop barsik valeria deniska brdr fright karolina kirsten vfksirf kume kenshin bootie cyclone starship monty
  balloon maxell dildo rupert milena bonsai lion salvador greatone vernon cent slider lillian admiral cecilia stolen
  albion boys midget fuckin freeporn nikola hithere damnit dinamo francois cheng calico duchess scratch powell stefano
  fortune nyjets artemis robotech roadkill backdoor rastaman fiesta felicia alliance fletch jerkoff killbill goliath
  cinnamon rambler malaka tekken sojdlgaljg carrera bangbang jeanette marc fritz ramses operator shado duster spank
  wibble alibaba mechanic
  12345678 123456789 1234567890 11111111 12344321 4815162342 01012011 11223344 789456123 147258369 1234554321
  123654789 741852963 147852369 01011980 1029384756 01012000 21122112 31415926 01011990 12345678910 11235813 51505150
  123454321 14789632 1123581321 01012010 111222333 147896325 123321123 192837465 25802580 123698745 12369874 12312312
  1122334455 11112222 01012001 01011991 15426378 01011985 73501505 01011970 321654987 01011981 01011986 13243546
  0.0.0.000 78945612 18436572 963852741 123789456 12131415 01011989 01011988 01011984 01011987 02071986 03082006
  10203040 01011910 12345679 14725836 19411945 01011992 01091989 02071982 135792468 01011975 123456654321 01011993
  12301230 02021987 02011985 01011977 02041986 02081988 02051986 02091987 12011987 02021988 02031986 02101985 02061985
  02011987 1357924680 02021986 01011983 02091986 02021984 01011982 02081984 02081987 02061986 02031984 02021985
  21031988 987456321 01020304 01011999 02011986 02081989 02041984 02061989 02021983 1234567891 02031987 02041983
  02051983 02021989 11221122 02041982 02081986 02041987 02041988 02011988 01011979 02081985 02101984 02011980 02021982
  02071984 12365478 02031985 02061988 02081982 02051982 02011984 02031982 02061980 02061987 02091983 01081989 12051988
  05051987 02071987 02101989 02041985 02071980 02101987 134679852 01011900 02091984 02091981 02061983 02041981
  02091980 22041987 02051988 02041979 02051987 02081977 05051985 02071988 15051981 26061987 02031981 08031986 02051989
  02051984 02061984 10011986 11051987 13041988 21031987 06061986 01031988 02091985 02021979 02021981 7894561230
  02061982 01011978 02011989 02041989 02101986 11081989 12021988 13041987 14061991 20061988 21011989 22021989 24061986
  30051985 74108520 01061990 01011960 02021976 02071981 03041991 02031979 02081983 18011987 23041987 02071983 07071987
  02021973 01121986 02011981 01071986 02091989 02071989 10031988 10071987 12121990 13031987 14111986 19061987 19101987
  24011985 25081988 28041987 123456123 02081980 02021990 01091987 01041985 02101988 10011990 10051987 10101986
  11061985 12121985 13061986 14021985 17051988 20111986 22011988 25800852 28021992 02031989 09051945 02031980 01121988
  02101981 08121986 04041991 03041986 02101983 01011995 11051990 16051987 16051989 17061988 20031987 20091991 21031990
  22021986 25031987 25121987 27061988 28011987 28021990 29011985 29051989 29071983 30041986 04041988 02011983 02051980
  05051989 08051990 02041980 01041988 01061986 01011994 11121986 12031985 12031987 13121985 15011987 15051990 15101986
  18061990 18091985 20051988 20091988 21051991 21101986 22071986 30031988 31011987 02071978 08031985 02011982 02101979
  02051985 02041974 08081988 02031988 01031989 01011974 03031986 02051978 02071979 02031977 02051976 10101990 13021990
  14021986 15021985 16121987 17011987 21051988 22031984 22041988 23021986 24111989 25041988 25091987 26031988 27081990
  30041987 07091990 01031985 02051981 01021990 02051973 02041975 10041986 10071988 11021985 13071984 14081985 15071987
  17111985 18091986 19011989 19031985 19283746 21011988 21011991 22061988 23031990 24111987 25011990 25091990 31031988
  09021988 01091985 02041978 02051972 05061990 01031984 02031983 10081989 11031988 11071988 12041986 12041988 12061988
  13011987 13011988 13051987 14011986 14021990 15011985 15041988 16051988 22021988 22071987 22091988 22121987 23021989
  23041986 23051985 25101988 30081984 02031978 01071987 01011976 04041983 08081986 02051977 02081976 02091988 07071977
  03021986 07071990 05071984 01041987 10031987 10101985 10121987 11061991 11121985 12071989 12081985 13061987 14101987
  15071986 15071988 16021990 17061989 17101986 18021984 18041986 18051988 18101987
`
    .trim()
    .split(/\s+/),
);
