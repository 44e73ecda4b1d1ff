using System.CommandLine;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize contrastive</c>: a test set in the layout of CoMMuTE from the ambiguity corpus.</summary>
internal static class SynthesizeContrastiveCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string> corpus = new("--corpus")
        {
            Description = "Folder with words-*.jsonl and sentences-*.jsonl",
            HelpName = "DIR",
            DefaultValueFactory = _ => Path.Combine("samples", "ambiguity"),
        };
        Option<string> pictograms = new("--pictograms") { Description = "Pack made by synthesize images", HelpName = "PACK", Required = true };
        Option<string> maker = new("--maker") { Description = "Whose drawings", HelpName = "NAME", DefaultValueFactory = _ => "facebook" };
        Option<string> split = new("--split") { Description = "train, test or heldout", HelpName = "NAME", DefaultValueFactory = _ => "test" };
        Option<string?> speech = new("--speech")
        {
            Description = "Pack that speaks all sentences of the corpus; adds recordings to the set", HelpName = "PACK",
        };
        Option<string> to = new("--to") { Description = "Language: German, French or Czech, or its code", HelpName = "LANG", Required = true };
        Option<string> output = new("--output") { Description = "Folder to write", HelpName = "DIR", Required = true };
        Command command = new("contrastive", "Write ambiguous sentences with both translations and deciding pictures in the layout of CoMMuTE")
        {
            corpus, pictograms, maker, split, speech, to, output,
        };
        command.SetAction(arguments =>
        {
            string language = LanguageOption.Code(arguments.GetRequiredValue(to))!;
            using PictogramPack pack = PictogramPack.Open(arguments.GetRequiredValue(pictograms));
            AmbiguityCorpus sentences = AmbiguityCorpus.Read(arguments.GetRequiredValue(corpus), pack);
            string folder = arguments.GetRequiredValue(output);
            using SpeechPack? spoken = arguments.GetValue(speech) is { } packFile ? SpeechPack.Open(packFile) : null;
            int lines = ContrastiveSetWriter.Write(
                sentences,
                arguments.GetRequiredValue(split),
                language,
                pack,
                arguments.GetRequiredValue(maker),
                folder,
                spoken);
            Console.WriteLine($"{folder}: {lines / 2} sentences, {lines} lines");
            return 0;
        });
        return command;
    }
}
