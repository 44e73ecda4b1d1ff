using System.CommandLine;
using OmniFusion.Training.Data;

namespace OmniFusion.Cli;

/// <summary><c>omnifusion synthesize names</c>: sentences with names, whose spelling a slide shows.</summary>
internal static class SynthesizeNamesCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string> output = new("--output")
        {
            Description = "Folder for names_train and names_test: .en, .de, .fr, .cs, and .terms with the names", HelpName = "DIR", Required = true,
        };
        Option<int?> sentences = Options.Whole("--sentences", "Sentences of each name (default: 8)", 1, 16);
        Option<int> seed = new("--seed") { Description = "Draws the sentences", HelpName = "N", DefaultValueFactory = _ => 1 };
        Command command = new("names", "Write sentences with names in four languages, to be spoken and shown on slides") { output, sentences, seed };
        command.SetAction(arguments =>
        {
            string folder = arguments.GetRequiredValue(output);
            (int train, int test) = NameSentences.Write(folder, arguments.GetValue(sentences) ?? 8, arguments.GetValue(seed));
            Console.WriteLine($"{folder}: {train} sentences for training, {test} with other names for testing");
            return 0;
        });
        return command;
    }
}
