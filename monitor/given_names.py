"""Given names that are common in England and mean nothing else, in small letters: what tells a name that stands alone.

Left out is every name that is also a word, a month, a place nearby or a part of our schools' names ("Grace", "Mark",
"April", "Beverley", "James"): masking it would hide what a post says. Source: common knowledge, no register.
"""

from __future__ import annotations

from typing import Final

GIVEN_NAMES: Final = frozenset(
    """
aaliyah aaron abbie abby abdul abdullah abigail adaeze adam adrian agnieszka ahmad ahmed aidan aiden aimee aisha
aishah alan alannah alasdair alastair alec alejandro alesha alex alexander alexandra alexandria alexis alfie alice
alicia alisha alison alistair alyssa amanda amara amelia amelie amina amir amy ana anastasia andrea andreea andrew
andy angela angus anisa anita anna annabel annabelle annalise anne annette annie anthony anton antonia antonio anya
archie ariana arlo arthur arun asher ashleigh ashton asif ava ayaan ayden ayesha ayla bailey barbara barnaby barry
bartosz beatrice beatrix becky bella ben benjamin bernadette bernard beth bethan bethany betty bianca billy bobby
bogdan bradley brandon brenda brendan brett brian bridget bronwen brooklyn bruce bryan bryony caitlin caleb callum
calum cameron camilla carl carla carly carmen caroline carolyn catherine cathy cecilia celia chantelle charlene
charles charlie charlotte cheryl chidi chloe chris christine christopher ciara claire clara clare claudia cliff clive
coby cody colin connie connor conor corey cormac courtney craig cristian damian damien daniel daniella danielle danny
daphne darcey darcy darren dave david dawid dawud debbie deborah declan delilah denis denise dennis derek dermot
dermott diana diane dmytro dominic dominik donald donna doreen dorothy doug douglas duncan dylan eamonn eddie edith
edmund edward effie eileen elaine eleanor elena eli elias elijah eliot elisa elise elizabeth ella elle ellen ellie
elliot elliott ellis eloise elsa elsie emilia emily emma emmanuel enid eric erica erik erin esme esmee esther ethan
eugene eva evan evelyn evie ewan ezra faisal farah fatima fatimah felicity felix femi fergus finlay finley finn fiona
fraser fred freddie freddy frederick freya gabriel gabriella gabrielle gareth gary gavin gemma geoff geoffrey george
georgie georgina gerald geraldine gerard gillian gina giovanni gordon gracie graeme graham gregory greta gwen hadley
hafsa hamish hamza hannah haris harriet harrison harry harvey hasan hassan hayden hayley hector heidi helen helena
henrietta henry hilary howard hugh hugo humphrey hussain hussein ian ibrahim ieuan imogen imran irena irene irina iris
isaac isabel isabella isabelle isaiah isla ismail isobel ivan jack jackie jackson jacky jacob jacqueline jacqui jaden
jaiden jakub jamal jamie jane janet janice jared jasmin jasmine jason jaxon jayden jayne jeanette jeff jeffrey jemima
jemma jenna jennifer jenny jeremy jermaine jerome jess jesse jessica jill jim jimmy joan joanna joanne joe joel
johannes john johnny jon jonah jonathan jono jordyn jorge joseph josephine josh joshua joyce juan judith julia julian
julie juliet juliette justin kacey kai kaitlyn kamil karen karim karina karl kasia kate katelyn katherine kathleen
kathryn kathy katie katy katya kayden kayla kayleigh keeley keira keiran keith kelly kelsey ken kenneth kenny kerry
kevin kezia keziah khadija khadijah kian kiera kieran kimberley kirsten kirsty klaudia kofi kristian kristina
krzysztof kwame kyle kylie kyra kyran lara laura lauren lauryn lee leila leo leon leonard leonardo leonie leroy lesley
leslie levi lewis lexi lexie liam liliana lillian lily linda lindsay lindsey lisa liz logan lois lola lorenzo lorna
lorraine lottie louie louis louisa louise luca lucas lucia lucian lucinda lucy luis lukas luke lydia lyla lynda lynn
lynne mackenzie maddie maddison maddy madeleine madison maeve magdalena mahmoud maisie maisy malachi malcolm malik
malika mandy marcel marco marcus marek margaret maria mariam marian marie marilyn marina mario marjorie marlon marta
martha martin martina martyn mary maryam mateusz mathew matilda matt matteo matthew maureen maurice maxwell maya meera
megan mehmet melanie melissa mia michael michaela michal michelle mick miguel mike mikey mila millie milly mina miriam
mohamed mohammad mohammed moira molly monica morgan moses muhammad murray mustafa mya myles nadia nancy naomi natalia
natalie natasha nathan nathaniel neil nevaeh ngozi niamh nicholas nicky nicola nicole nigel nikita nikki nina noah
nora norma norman olamide oleksandr olena olga oliver olivia ollie omar oscar osman otis owen oxana pamela patricia
patrick patryk paul paula pauline pawel penelope percy peter phil philip philippa phillip phillipa phoebe piotr pippa
polly priya quentin quinn rachael rachel rahul ralph ramona raphael rashid raymond rebecca reece reggie reuben rhian
rhianna rhiannon rhys richard richie riley rita robbie robert roberto roderick rodney roger rohan roisin romeo ron
ronald ronan ronnie rory rosa rosalind rosanna rosie ross rowena roxanne rubie rufus rupert russell ruth ryan rylan
sadie safiya sally salma sam samantha samira samson samuel sandra saoirse sara sarah sasha saskia scarlett sean
sebastian selena serena seth shannon sharon shaun shauna sheila shelley shirley sian sidney sienna silvia simon simone
sinead sofia sonia sonny sophia sophie stacey stefan stella stephanie stephen steve steven stuart sunita susan susanna
susannah susie suzanne sylvia szymon tabitha tahir tamara tamsin tania tanya tara tariq tatiana taylor ted teddy
terence teresa terry tessa thea thelma theo theodore theresa thomas tia tiffany tilly tim timothy tina tobias toby
todd tom tomas tomasz tommy toni tony tracey tracy travis trevor tricia tristan tyler tyrell tyrese tyrone una usman
valerie vanessa vera veronica vicky vikram viktoria vincent vivian vivien vivienne walter wanda warren wayne wendy
wesley wiktoria wilfred william winifred winston wojciech xander xavier yasin yasmin yasmine yulia yusuf yvette yvonne
zac zach zachary zachery zack zahra zain zainab zak zakariya zara zayn zeeshan zoe zofia zoya zuzanna
""".split()  # noqa: SIM905 - as people read it
)
