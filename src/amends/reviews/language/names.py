"""Given names, to see that a person is named.

Chosen from the commonest of many countries; names that are also words, places or well-known products (Will,
Grant, Chase, Jenkins, Travis, Gerrit, Cassandra, Sydney, Victoria) are left out: a missed name costs less
than a product taken for a person.
"""

from __future__ import annotations

from amends.reviews.language import vocabulary as v

GIVEN = v.word_set(
    """
    aaron abhishek adam adrian agnes ahmed aidan aisha ajay akira alan albert alejandro aleksandr
    alessandro alex alexander alexandra alexandre alexei alexey alice alicia alina ali alison allison
    amanda amelia amit amy ana anders andrea andreas andrei andres andrew andrey andrzej andy angela
    angus anil anita anja anka ann anna anne annie anthony anton antoine antonio anurag arjun arnaud
    arthur arun ashley ashwin audrey barbara bartosz beatrice ben benedikt benjamin bernard bernd beth
    betty bjorn björn bob bogdan boris brad bradley brandon brenda brendan brent brian bridget bruce
    bruno bryan camille carl carla carlos carmen carol caroline catherine cathy cecilia cedric charles
    chen chiara chloe chris christian christina christine christoph christophe christopher cindy
    claire clara claude claudia colin colleen connor craig cristian cristina cynthia daisuke damian
    damien dan dana daniel daniela danielle danny dario darren dave david deborah debra deepak denis
    dennis derek deepika diana diane diego dieter dimitri dmitri dmitry dominic dominik donald donna
    dorothy doug douglas duncan dylan ed eddie edgar eduardo edward edwin elena eli elias elizabeth
    ella ellen emil emily emma emmanuel enrico enrique eric erica erik erika erin ernesto esther ethan
    eugene eva evan evelyn evgeny fabian fabio farhan fatima federico felipe felix fernando filip
    fiona florian frances francesca francesco francis francisco franck francois françois fred frederic
    frederick fredrik gabriel gabriela gareth gary gavin george georg gerald gerard giorgio giovanni
    giulia giuseppe glenn gloria gonzalo gopal gordon greg gregory guido guilherme guillaume gustavo
    hannah hannes hans harald harold harry hassan heather hector heidi heinz helen helena henrik henry
    hiroshi holly hugo hussein ian ibrahim igor ilya ingrid irene irina isaac isabel isabella ivan
    jacek jack jackie jacob jacqueline jacques jaime jake jakob jakub james jamie jan jane janet
    janice jared jason javier jay jean jeff jeffrey jen jennifer jenny jens jeremy jerome jerry jesper
    jesse jessica jesus jim jimmy jing joan joana joanna joao joão jochen joe joel joerg jörg johan
    johanna johannes john johnny jon jonas jonathan jonny jordi jorge jose josé josef joseph josh
    joshua juan judith judy juergen jürgen juha julian julie julien jun justin kai karen karin karl
    karsten kate katarzyna katherine kathleen kathryn kathy katie katrin kazuki keith kelly ken kenji
    kenneth kenny kevin kim kiran klaus konstantin krishna kristin kristina krzysztof kumar kurt kyle
    lars laura lauren laurent lawrence lea leah lee lena leo leon leonard leonardo leonie leslie liam
    lina linda lisa liz lorenzo lori louis louise luca lucas lucia luis luisa lukas luke lynn maciej
    magdalena magnus mahmoud manuel marc marcel marcelo marcin marco marcos marcus margaret maria
    marie marina mario marion marius mariusz markus marta martha martin martina mary masahiro mateusz
    mathias mathieu mats matt matteo matthew matthias matthieu maurice max maxime megan mehdi mehmet
    mei melanie melissa michael michal michał michel michele michelle miguel mihai mikael mike mikhail
    milan miriam mirko mitch mohamed mohammad mohammed mohit monica monika morten muhammad mustafa
    nadia nadine nancy naomi natalia natalie nathalie nathan neha neil nicholas nick nicola nicolas
    nicole niels nikhil nikita nikolai nikos nils nina noah noel nora oleg olga oliver olivia olivier
    omar oscar oskar ozan pablo pamela paolo patricia patrick paul paula pauline pavel pawel paweł
    pedro peggy penny per pete peter petr petra phil philip philipp philippe phillip pierre pieter
    pietro piotr pradeep prakash pranav priya rachel rafael rahul raj rajesh ralf ralph ramesh randy
    raphael raquel raul ravi raymond rebecca renata rene rené ricardo richard rick rita robert roberto
    robin rodrigo roger rohan rohit roland roman ronald rose ross roxanne roy ruben rudolf rune
    russell ruth ryan sabine sabrina sachin sally salma sam samantha samir samuel sandeep sandra
    sandro sanjay santiago sara sarah sascha scott sean sebastian sergei sergey sergio shane shannon
    sharon shaun shawn sheila shirley shreya silke silvia simon simone sofia sonia sophia sophie stacy
    stefan stefanie steffen stella stephan stephane stephanie stephen steve steven stuart sunil susan
    susanne suresh suzanne sven svetlana sylvain sylvia szymon takashi takeshi tamara tanja tanya tara
    tatiana ted teresa terry tess theo theodore theresa thierry thomas thorsten tiago tim timothy tina
    tobias todd tom tomas tomasz tommy toni tony tracy tyler ulrich ulrike ursula vadim valentin
    valentina valeria vanessa vasily vera veronica vicky vikram vincent vinod vishal vitor vivek
    vladimir walter wanda wei wendy werner wes wilhelm william wolfgang xavier xiao yan yann yannick
    yasmin yi ying yoko yolanda yuki yuri yusuf yuvi yves yvonne zach zachary zhang zoe zoltan
    """
)
